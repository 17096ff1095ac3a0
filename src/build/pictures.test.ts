/** The pictures of the documents in a real Chromium: every text stays in its room and no two overlap, whatever font the reader has. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Browser, chromium } from '../trace/test-browser.js';
import { Picture } from './pictures/svg.js';

const test = suite('pictures');
/** The widest that are common, and what the system has for each kind. */
const fonts = ['sans-serif', 'serif', 'monospace', 'DejaVu Sans', 'Verdana'];

/** Texts out of their room or of the picture, and pairs of texts that touch. */
const measure = `(font) => {
  const wrong = [], root = document.documentElement, page = root.getBoundingClientRect();
  for (const element of [root, ...root.querySelectorAll('[font-family]')]) element.setAttribute('font-family', font);
  const out = (inner, outer) => inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom;
  const seen = [...root.querySelectorAll('text')].map((text) => ({ words: text.textContent, at: text.getBoundingClientRect(), room: text.closest('.room') }));
  for (const { words, at, room } of seen) {
    if (out(at, page)) wrong.push(words + ': out of the picture');
    if (room && out(at, room.querySelector('rect').getBoundingClientRect())) wrong.push(words + ': out of its room');
  }
  for (const [index, a] of seen.entries()) for (const b of seen.slice(index + 1)) {
    const across = Math.min(a.at.right, b.at.right) - Math.max(a.at.left, b.at.left);
    const down = Math.min(a.at.bottom, b.at.bottom) - Math.max(a.at.top, b.at.top);
    if (across > 0 && down > 4) wrong.push(a.words + ' and ' + b.words + ': one over the other');
  }
  return { count: seen.length, wrong };
}`;

const drawn = readdirSync('docs').filter((name) => name.endsWith('.svg'));
const browsing = chromium ? test : test.skip;

browsing('all labels fit, in every font', async () => {
  const browser = new Browser();
  try {
    assert.ok(drawn.length >= 4);
    for (const name of drawn) {
      await browser.open(resolve(join('docs', name)), { width: 1200, height: 1800 });
      for (const font of fonts) {
        const { count, wrong } = (await browser.evaluate(`(${measure})('${font}')`)) as {
          count: number;
          wrong: string[];
        };
        assert.ok(count > 10, `${name}: ${count} texts`);
        assert.equal(wrong, [], `${name} in ${font}`);
      }
    }
    assert.equal(browser.complaints, []);
  } finally {
    await browser.close();
  }
});

test('a text that may not fit is not drawn', () => {
  const picture = new Picture(100, 100, 'a', 'b');
  assert.throws(() => picture.box({ x: 0, y: 0, w: 90, h: 30 }, ['longer than the box']), 'takes');
  assert.throws(() => picture.box({ x: 0, y: 0, w: 90, h: 30 }, ['a', 'b']), 'no room');
});

test.run();

/** docs/learn.md and the bundles' READMEs: what they show of a config is in it, and what they say one sees is what one sees. Needs root. */
import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { BundleSuite, hasProgram, isRunc } from './harness.js';
import { blocksOf, differsFromGolden, isIn, Reader } from './pages.js';

const missing = ['bash', 'unshare', 'ip', 'nsenter'].find((name) => !hasProgram(name));
const pages = new BundleSuite('pages', isRunc ? 'they are about tsrun' : missing && `needs '${missing}'`);
const bundles = readdirSync('bundles', { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
/** Sessions that have been held already, in the same words. */
const held = new Set<string>();

for (const name of bundles)
  pages.test(`the README of ${name} has a command, and its output`, (sandbox) => {
    const sessions = blocksOf(readFileSync(`bundles/${name}/README.md`, 'utf8')).filter(
      ({ language }) => language === 'console',
    );
    assert.ok(sessions.some(({ text }) => text.includes(`--bundle bundles/${name} `)));
    const reader = new Reader(sandbox);
    for (const block of sessions) {
      assert.is(reader.differs(block), undefined);
      held.add(block.text);
    }
  });

const learn = readFileSync('docs/learn.md', 'utf8');
const steps = learn
  .split(/^## /m)
  .slice(1)
  .filter((text) => /^\d/.test(text));

pages.test(
  'docs/learn.md has nine steps; each has a bundle of its own, lines of its config, and what to look up',
  () => {
    assert.equal(
      steps.map((text) => Number.parseInt(text, 10)),
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    const used = steps.map((text) => {
      const linked = new Set([...text.matchAll(/\]\(\.\.\/bundles\/([a-z-]+)\/README\.md\)/g)].map(([, name]) => name));
      assert.is(linked.size, 1, text.slice(0, 40));
      const [name] = linked;
      const blocks = blocksOf(text);
      const shown = blocks.filter(({ language }) => language === 'json');
      assert.ok(shown.length > 0, `${name}: no config`);
      for (const { text: json } of shown)
        assert.ok(isIn(json, readFileSync(`bundles/${name}/config.json`, 'utf8')), `${name} has no ${json}`);
      const typed = blocks.filter(({ language }) => language === 'console').map(({ text: session }) => session);
      assert.ok(
        typed.some(
          (session) =>
            session.includes(`# tsrun run --bundle bundles/${name} `) ||
            session.includes(`# tsrun create --bundle bundles/${name} `),
        ),
      );
      assert.ok(
        typed.some((session) => /# tsrun (plan|--debug)/.test(session)),
        `${name}: no plan`,
      );
      for (const block of blocks)
        assert.is(differsFromGolden(block, readFileSync(`bundles/${name}/plan.txt`, 'utf8')), undefined);
      assert.match(text, /^Look up: .*\(\d\)/m);
      return name;
    });
    assert.is(new Set(used).size, 9);
  },
);

for (const step of ['', ...steps])
  pages.test(`docs/learn.md shows what one sees: ${step.split('\n')[0] || 'before the first step'}`, (sandbox) => {
    const reader = new Reader(sandbox);
    const text = step === '' ? (learn.split(/^## 1/m)[0] ?? '') : step;
    for (const block of blocksOf(text))
      if (block.language === 'console' && !held.has(block.text)) assert.is(reader.differs(block), undefined);
  });

pages.run();

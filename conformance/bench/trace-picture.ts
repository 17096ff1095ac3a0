// docs/trace.png: the timeline of a trace in Chromium.   node src/build/run-ts.mjs conformance/bench/trace-picture.ts PAGE.html
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Browser } from '../../src/trace/test-browser.js';

const browser = new Browser();
await browser.open(resolve(process.argv[2] ?? 'trace.html'), { width: 1180, height: 640 });
await browser.until("document.querySelectorAll('.bar').length > 10");
await browser.evaluate(
  "[...document.querySelectorAll('#steps tr')].find((r) => r.innerText.includes('mount ')).querySelector('button').click()",
);
await new Promise((done) => setTimeout(done, 1500)); // scrolling is smooth
writeFileSync('docs/trace.png', await browser.screenshot());
await browser.close();

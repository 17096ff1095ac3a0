// Runs test files in several processes at once, each file in one of its own, and adds up what they say.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const colours = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : {};
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of uvu
const plain = (text) => text.replace(/\x1b\[[0-9;]*m/g, '');

/** What uvu writes when it has come to the end of a file. */
const SUM = /\n {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n {2}Duration: .*\s*$/;

/** What a test has left running may keep the pipes open; what it wrote until its end is there sooner. */
const PATIENCE = 2000;

/** How a process ended, where that is worth a word. */
const ending = (status, signal) => (signal ? `ended by ${signal}` : `exit status ${status}`);

/** What a file's output and end come to: its counts, and the names of what failed. One that does not get to its end has failed. */
export function judge(stdout, status, signal) {
  const text = plain(stdout);
  const sum = SUM.exec(text);
  const [total, passed, skipped] = sum ? sum.slice(1).map(Number) : [0, 0, 0];
  const failed = [...text.matchAll(/^ {3}FAIL {2}(.*)$/gm)].map((found) => found[1]);
  if (!sum) failed.push(`did not come to its end: ${ending(status, signal)}`);
  else if (failed.length < total - passed) failed.push(`${total - passed} of ${total} did not pass`);
  else if (status !== 0 && failed.length === 0) failed.push(`${ending(status, signal)} though every test passed`);
  return { total: Math.max(total, passed + failed.length), passed, skipped, failed };
}

/** @returns what the file's process wrote and how it ended; `running` has it as long as it lives. */
function start({ name, file }, running) {
  return new Promise((done) => {
    // A session of its own, so that all that a test has started can be ended with it.
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = spawn(process.execPath, [file], { stdio, env: { ...process.env, ...colours }, detached: true });
    running.set(child, name);
    const [out, both] = [[], []];
    child.stdout.on('data', (part) => out.push(part) && both.push(part));
    child.stderr.on('data', (part) => both.push(part));
    const end = (status, signal) => {
      running.delete(child);
      child.stdout.destroy();
      child.stderr.destroy();
      done({ stdout: Buffer.concat(out).toString(), output: Buffer.concat(both).toString(), status, signal });
    };
    child.once('close', end);
    child.once('exit', (...how) => setTimeout(end, PATIENCE, ...how).unref());
  });
}

/** Every file's own sum is left out. */
const without = (output) => output.replace(/\n[^\n]* {2}Total: [\s\S]*$/, '\n');

const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

/** At a signal the files that run are named and ended. */
function stopper(running, write) {
  return (signal) => {
    for (const [child, name] of running) {
      write(`${signal} while ${name} ran\n`);
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {} // it has just ended
    }
    process.exit(128 + constants.signals[signal]);
  };
}

/**
 * Runs `files` ({ name, file }, in this order), `jobs` at once. What each has to say is written whole; the sum comes at the end, in uvu's form,
 * after a line "failed: FILE: TEST" for each failure.
 * @returns the exit status
 */
export async function runFiles(files, jobs, write = (text) => process.stdout.write(text)) {
  const began = performance.now();
  const sum = { total: 0, passed: 0, skipped: 0 };
  const wrong = [];
  const running = new Map();
  const stop = stopper(running, write);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, stop);
  const queue = [...files];
  const worker = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) {
      const from = performance.now();
      const { stdout, output, status, signal } = await start(item, running);
      const { failed, ...counts } = judge(stdout, status, signal);
      for (const key of Object.keys(sum)) sum[key] += counts[key];
      wrong.push(...failed.map((what) => `${item.name}: ${what}`));
      write(`${item.name} (${seconds(from)})\n${without(output)}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  for (const signal of signals) process.off(signal, stop);
  for (const line of wrong) write(`failed: ${line}\n`);
  const { total, passed, skipped } = sum;
  write(`\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  ${seconds(began)}\n\n`);
  return wrong.length === 0 ? 0 : 1;
}

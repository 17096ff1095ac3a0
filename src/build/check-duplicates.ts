import { readFileSync } from 'node:fs';
import { sourcesOf } from './sources.js';

/** As many lines in a row, and more, stand in one place only. */
const least = 9;

/** Written by others, or cells that are to be read one by one. */
const left = [/^src\/generated\//, /^conformance\/engines\/[^/]+\.sh$/];

interface Line {
  readonly text: string;
  /** From 1 on. */
  readonly number: number;
}

/** What counts of a file: no blank lines, and no imports, which a list of many names spreads over lines. */
export function linesOf(source: string): Line[] {
  const lines: Line[] = [];
  let importing = false;
  source.split('\n').forEach((raw, index) => {
    const text = raw.trim();
    if (importing || /^import\b|^export .* from '|^#include /.test(text)) {
      importing = /^(import|export)\b/.test(text) ? !text.endsWith(';') : importing && !text.endsWith(';');
      return;
    }
    if (text !== '') lines.push({ text, number: index + 1 });
  });
  return lines;
}

interface Place {
  readonly file: string;
  /** Among the lines of the file that count. */
  readonly at: number;
}

/** Identical runs of lines in these files, each where it begins and ends, and where the same stood first. */
export function duplicatesIn(files: ReadonlyMap<string, string>): string[] {
  const known = new Map<string, Place>();
  const lines = new Map([...files].map(([file, source]) => [file, linesOf(source)]));
  const found: string[] = [];
  for (const [file, own] of lines) {
    for (let at = 0; at + least <= own.length; at++) {
      const key = keyOf(own, at);
      const before = known.get(key);
      if (before === undefined || (before.file === file && before.at + least > at)) {
        if (before === undefined && /\w/.test(key)) known.set(key, { file, at });
        continue;
      }
      const others = lines.get(before.file)!;
      let length = least;
      while (
        own[at + length] !== undefined &&
        own[at + length]?.text === others[before.at + length]?.text &&
        (before.file !== file || before.at + length < at)
      )
        length += 1;
      const span = (place: readonly Line[], from: number): string =>
        `${place[from]!.number}-${place[from + length - 1]!.number}`;
      found.push(`${file}:${span(own, at)} is ${before.file}:${span(others, before.at)}, ${length} lines`);
      at += length - 1;
    }
  }
  return found;
}

const keyOf = (lines: readonly Line[], at: number): string =>
  lines
    .slice(at, at + least)
    .map(({ text }) => text)
    .join('\n');

const isGenerated = (source: string): boolean => /^.{0,3}\s*Generated\b|DO NOT EDIT/m.test(source.slice(0, 300));

/** Runs of more than eight lines that stand twice in the project's code. */
export function checkDuplicates(): string[] {
  const paths = sourcesOf(['src', 'conformance', 'bundles'], /\.(ts|mts|mjs|c|h|S|sh)$/);
  const files = paths
    .filter((path) => !left.some((pattern) => pattern.test(path)))
    .map((path) => [path, readFileSync(path, 'utf8')] as const)
    .filter(([, source]) => !isGenerated(source));
  return duplicatesIn(new Map(files));
}

// A bar chart as SVG, drawn by hand: one group a measurement, one bar a runtime, each group scaled to its longest bar.
import { widthOf } from '../../src/build/pictures/svg.js';
import { format, type Row } from './statistics.js';

const colours = ['#0b7285', '#e8590c', '#868e96', '#5f3dc4', '#2b8a3e'];
const size = 12;
const bars = 510;
const roomOf = (text: string): number => Math.ceil(widthOf({ text, size }));
const barHeight = 15;
const text = (x: number, y: number, words: string, rest = '') =>
  `<text x="${x}" y="${y}"${rest}>${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;

export function chart(rows: readonly Row[], runtimes: readonly string[]): string {
  const parts: string[] = [];
  const left = Math.max(...rows.map(({ name }) => roomOf(name))) + 24;
  const width = left + bars;
  const gap = Math.max(...runtimes.map(roomOf)) + 36;
  let y = 40;
  runtimes.forEach((name, index) => {
    const x = left + index * gap;
    parts.push(`<rect x="${x}" y="12" width="12" height="12" fill="${colours[index % colours.length]}"/>`);
    parts.push(text(x + 17, 22, name));
  });
  for (const row of rows) {
    const longest = Math.max(...runtimes.map((name) => row.values.get(name) ?? 0), 1e-9);
    const height = runtimes.length * (barHeight + 3);
    parts.push(text(left - 12, y + height / 2 + 2, row.name, ' text-anchor="end"'));
    runtimes.forEach((name, index) => {
      const value = row.values.get(name);
      const length = value === undefined ? 0 : Math.max(1, (value / longest) * (bars - 90));
      const top = y + index * (barHeight + 3);
      parts.push(
        `<rect x="${left}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" fill="${colours[index % colours.length]}"/>`,
        text(left + length + 6, top + 12, format(row, name)),
      );
    });
    y += height + 16;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img" font-family="sans-serif" font-size="${size}">`,
    '<title>Shorter is better</title>',
    `<rect width="${width}" height="${y}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/**
 * One self-contained page: no network, light and dark as the reader has it, and nothing in it is taken for markup that was text. Whatever
 * comes from a config is untrusted: it goes through escapeHtml() or data(), and the policy of the page runs no other script than its own.
 */
import { sha256 } from '../host/hash.js';

const entities: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it may stand in an element or in an attribute's quotes. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/[&<>"']/g, (character) => entities[character]!)
    .replace(/\p{Cc}/gu, (character) => ('\t\n\r'.includes(character) ? character : '\ufffd'));

/** Data for the page's script. In JSON these characters stand in strings only, where they may be written so. */
export const data = (id: string, value: unknown): string => {
  const written = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const json = JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, written);
  return `<script type="application/json" id="${id}">${json}</script>`;
};

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A policy names a script by the hash of its text. */
function base64OfHex(hex: string): string {
  let out = '';
  for (let at = 0; at < hex.length; at += 6) {
    const part = hex.slice(at, at + 6);
    const bits = Number.parseInt(part.padEnd(6, '0'), 16);
    const count = Math.ceil((part.length * 4) / 6);
    for (let i = 0; i < 4; i++) out += i < count ? alphabet[(bits >> (18 - 6 * i)) & 63] : '=';
  }
  return out;
}

const style = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2128;--soft:#57606a;--line:#d0d7de;--panel:#f6f8fa;--mark:#fff3bf;--focus:#0550ae;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e6e9ee;--soft:#a5adb8;--line:#3a424d;--panel:#1d232a;--mark:#4d4213;--focus:#79b8ff;--bad:#ff8a80}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,'DejaVu Sans',sans-serif}
main,header{padding:0 20px;max-width:1500px;margin:0 auto}h1{font-size:22px;margin:18px 0 2px}h2{font-size:16px;margin:20px 0 6px}
code,pre,.code{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:13px}p{margin:4px 0}.soft{color:var(--soft)}
button{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--line);border-radius:5px;padding:2px 10px;cursor:pointer}
:focus-visible{outline:2px solid var(--focus);outline-offset:1px}table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600}
td,th{padding:2px 8px 2px 0;vertical-align:top;border-bottom:1px solid var(--line)}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
`;

export interface Page {
  readonly title: string;
  /** Markup. */
  readonly body: string;
  readonly style?: string;
  readonly script?: string;
}

export function page({ title, body, style: more = '', script }: Page): string {
  const allowed = script === undefined ? "'none'" : `'sha256-${base64OfHex(sha256(script))}'`;
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${allowed}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(title)}</title>
<style>${style}${more}</style>
</head>
<body>
${body}
${script === undefined ? '' : `<script>${script}</script>`}
</body>
</html>
`;
}

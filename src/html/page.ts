/** Self-contained pages: one look, light and dark, no network. Everything that is put in is escaped here. */
import { sanitise } from '../errors/render.js';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as the content of an element or an attribute; what would hide or reorder text is shown as its number. */
export const escapeHtml = (text: string): string =>
  sanitise(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');

/** Data for the page's own script: no `</script>` and no comment can end it early. */
export const scriptData = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

const style = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2128;--soft:#59636e;--line:#d1d9e0;--panel:#f6f8fa;--key:#0b57a4;--mark:#fff3c4}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--fg:#e4e9ee;--soft:#98a4b0;--line:#323b45;--panel:#1a2028;--key:#79b8ff;--mark:#4a3f12}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.25rem;margin:0 0 .5rem;overflow-wrap:anywhere}h2{font-size:1rem;margin:1.4rem 0 .3rem}
code,pre,td.num,.pointer{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.86em}
`;

export interface Page {
  readonly title: string;
  /** Markup, made with escapeHtml. */
  readonly body: string;
  readonly style: string;
  readonly script: string;
}

/** The policy lets nothing in from anywhere, should an escape ever be missing. */
export const renderPage = ({ title, body, style: own, script }: Page): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${style}${own}</style>
</head>
<body>
${body}
<script>${script}</script>
</body>
</html>
`;

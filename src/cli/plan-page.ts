/** `tsrun plan --html`: steps in groups, the config beside them; a click on a step shows the key that caused it. */
import { type Laid, layOut, linesOf, redact } from '../html/config-text.js';
import { escapeHtml, page } from '../html/page.js';
import { sanitise } from '../errors/render.js';
import { condition } from '../plan/print.js';
import { groupsOf, type Planned } from './plan-view.js';

/** What would hide or reorder text is shown as its number. */
const html = (text: string): string => escapeHtml(sanitise(text));

const style = `
main{display:grid;max-width:none;padding:0;grid-template-columns:minmax(0,3fr) minmax(0,2fr);height:100vh}
.steps{overflow:auto;padding:1.2rem 1.5rem}.config{overflow:auto;padding:1.2rem 1rem;border-left:1px solid var(--line);background:var(--panel)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td{padding:.22rem .5rem;vertical-align:top;border-top:1px solid var(--line);overflow-wrap:anywhere}
td.number{text-align:right;color:var(--soft);width:3rem}td.role{width:4rem;color:var(--soft)}td.pointer{width:34%}
td button{all:unset;cursor:pointer;color:var(--focus)}td button:focus-visible{outline:2px solid var(--focus)}.pointer{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:13px}.config h2{margin-top:0}
tr.on,.line.on{background:var(--mark)}.line{display:block;white-space:pre-wrap;min-height:1.2em}pre{margin:0}.soft{color:var(--soft)}
@media(max-width:52rem){main{grid-template-columns:1fr;height:auto}.config{border-left:0;border-top:1px solid var(--line)}}
`;

const script = `
const lines=[...document.querySelectorAll('.line')];
const steps=document.querySelector('.steps');
const show=(row)=>{
  if(!row)return;
  for(const on of document.querySelectorAll('.on'))on.classList.remove('on');
  row.classList.add('on');
  const {first,last}=row.dataset;
  if(first===undefined)return;
  for(const line of lines.slice(first-1,last))line.classList.add('on');
  lines[first-1].scrollIntoView({block:'center'});
};
steps.addEventListener('click',(event)=>show(event.target.closest('tr')));
const linked=()=>{const row=/^#step-\\d+$/.test(location.hash)&&document.getElementById(location.hash.slice(1));if(row){show(row);row.scrollIntoView({block:'center'})}};
addEventListener('hashchange',linked);linked();
`;

function groupMarkup({ title, steps }: ReturnType<typeof groupsOf>[number], laid: Laid): string {
  const rows = steps.map(({ step, number }) => {
    const pointer = html(step.pointer);
    const shown = step.pointer === '' ? '' : `<button type="button">${pointer}</button>`;
    const text = html(`${step.summary}${condition(step)}`);
    const [first, last] = linesOf(laid, step.pointer) ?? [];
    const place = first === undefined ? '' : ` data-first="${first}" data-last="${last}"`;
    return `<tr id="step-${number}"${place}><td class="number">${number}</td><td class="role">${step.role}</td><td class="pointer">${shown}</td><td title="${html(step.op)}">${text}</td></tr>`;
  });
  return `<section><h2>${html(title)}</h2><table>${rows.join('\n')}</table></section>`;
}

export function renderPlanPage(planned: Planned, config: unknown): string {
  const { title, summary, plan } = planned;
  const list = summary.map(([name, text]) => `<dt>${html(name)}</dt><dd>${html(text)}</dd>`).join('\n');
  const laid = layOut(redact(config));
  const lines = laid.text.split('\n').map((line) => `<span class="line">${html(line)}</span>`);
  const left = `<div class="steps"><h1>${html(title)}</h1><dl>${list}</dl>${groupsOf(plan)
    .map((group) => groupMarkup(group, laid))
    .join('\n')}</div>`;
  const right = `<aside class="config" aria-label="config.json"><h2>config.json</h2><p class="soft">Values of the environment, annotations and arguments of programs are not shown.</p><pre>${lines.join('')}</pre></aside>`;
  return page({ title: sanitise(title), body: `<main>${left}${right}</main>`, style, script });
}

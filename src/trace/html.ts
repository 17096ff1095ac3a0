/** A trace as a page: the timeline, its steps beside it, and the config with the line that a step comes from. */
import { data, escapeHtml, page } from '../html/page.js';
import { analyse } from './analyse.js';
import { type Lane, lanes, type Trace, type TraceEvent } from './format.js';
import { type Laid, layOut, lineOf } from '../html/config-text.js';
import { timelineScript } from './timeline-script.js';
import { timelineStyle } from './timeline-style.js';

const about: { readonly [lane in Lane]: string } = {
  engine: 'TypeScript: it makes the plan',
  host: "the executor, in the host's namespaces",
  joiner: 'enters existing namespaces',
  init: "the container's first process, or the exec's",
  hooks: 'programs that the plan runs',
};

const fixed = (value: number): string => value.toFixed(3);

function rowOf(event: TraceEvent, index: number, begin: number, line: number | undefined): string {
  const { lane, name, pointer = '', errno, unfinished } = event;
  const result = errno ?? (unfinished ? 'not ended' : '');
  const place = pointer === '' ? '' : `<code>${escapeHtml(pointer)}</code>`;
  return `<tr id="row-${index}" data-event="${index}"${line === undefined ? '' : ` data-line="${line}"`}${errno ? ' class="bad"' : ''}><td class="number">${fixed(event.begin - begin)}</td><td class="number">${fixed(event.end - event.begin)}</td><td>${lane}</td><td><button type="button" class="plain" tabindex="-1">${escapeHtml(name)}</button></td><td>${place}</td><td>${escapeHtml(result)}</td></tr>`;
}

function configLines(text: string): string {
  if (text === '') return '<p class="soft">The trace has no config.</p>';
  const lines = text
    .split('\n')
    .map((line, i) => `<li id="line-${i + 1}"><code>${escapeHtml(line) || ' '}</code></li>`);
  return `<ol class="config" tabindex="0" aria-label="config.json, without secrets">${lines.join('')}</ol>`;
}

/** The config's text may have been changed since it was written; what cannot be read has no lines. */
function laid(text: string): Laid {
  try {
    return layOut(text === '' ? {} : JSON.parse(text));
  } catch {
    return { text: '', lines: new Map(), ends: new Map() };
  }
}

const button = (id: string, label: string, text: string): string =>
  `<button type="button" id="${id}" aria-label="${label}" title="${label}">${text}</button>`;

export function tracePage(trace: Trace): string {
  const { begin, goal, reached, sums } = analyse(trace);
  const { command, id, version, time, outcome, dropped, config } = trace.about;
  const places = laid(config);
  const events = trace.events.map((event) => {
    const { lane, kind, name, pointer = '', errno = '' } = event;
    return [lanes.indexOf(lane), kind, name, pointer, errno, event.begin - begin, event.end - event.begin];
  });
  const rows = trace.events
    .map((event, i) => rowOf(event, i, begin, event.pointer === undefined ? undefined : lineOf(places, event.pointer)))
    .join('\n');
  const phases = sums
    .map(
      ({ phase, total, onPath }) =>
        `<tr><td>${escapeHtml(phase)}</td><td class="number">${fixed(total)}</td><td class="number">${fixed(onPath)}</td></tr>`,
    )
    .join('');
  const title = `tsrun ${command} ${id}`;
  const used = lanes.filter((lane) => trace.events.some((event) => event.lane === lane));
  const legend = used
    .map((lane) => `<span class="key lane-${lane}"></span>${lane} <span class="soft">(${about[lane]})</span>`)
    .join(' ');
  const notes = [
    `${(goal - begin).toFixed(2)} ms until ${reached}`,
    escapeHtml(time),
    `tsrun ${escapeHtml(version)}`,
    ...(outcome === 'failed' ? ['<strong class="bad">it failed</strong>'] : []),
    ...(dropped > 0 ? [`${dropped} events had no room`] : []),
  ];
  const body = `<header><h1>${escapeHtml(title)}</h1><p class="soft">${notes.join(' · ')}</p><p class="legend">${legend}</p></header>
<main>
<div class="tools" role="toolbar" aria-label="Zoom">${button('in', 'Zoom in', '+')}${button('out', 'Zoom out', '−')}${button('earlier', 'Earlier', '←')}${button('later', 'Later', '→')}${button('start', 'Show the start', 'start')}${button('all', 'Show everything', 'all')}
<span class="soft">wheel or + − to zoom, drag or ← → to move, 0 for the start, Tab and arrows to go through the steps</span></div>
<div id="timeline" role="group" aria-label="Timeline"></div>
<p id="detail" role="status" aria-live="polite" class="code">Choose a step.</p>
<div class="columns">
<section aria-labelledby="steps-title"><h2 id="steps-title">Steps</h2><div class="scroll" tabindex="0" aria-label="Steps"><table><thead><tr><th class="number">at ms</th><th class="number">took ms</th><th>who</th><th>what</th><th>pointer</th><th>result</th></tr></thead><tbody id="steps">
${rows}
</tbody></table></div></section>
<section aria-labelledby="config-title"><h2 id="config-title">config.json</h2><p class="soft">Laid out anew; values of the environment and of annotations, and arguments, are left out.</p>${configLines(places.text === '{}' && config === '' ? '' : places.text)}</section>
</div>
<section aria-labelledby="phases-title"><h2 id="phases-title">By phase</h2><table class="phases"><thead><tr><th>phase</th><th class="number">sum ms</th><th class="number">on the critical path ms</th></tr></thead><tbody>${phases}</tbody></table></section>
</main>
${data('events', { events, lanes, goal: goal - begin })}`;
  return page({ title: `${title}: trace`, body, style: timelineStyle, script: timelineScript });
}

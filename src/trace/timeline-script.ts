/** What the page does, as text; it runs in a browser, and texts get into the page as text only. */
export const timelineScript = `'use strict';
(() => {
  const { events, lanes, goal } = JSON.parse(document.getElementById('events').textContent);
  const [LANE, KIND, NAME, POINTER, ERRNO, AT, TOOK] = [0, 1, 2, 3, 4, 5, 6];
  const timeline = document.getElementById('timeline'), detail = document.getElementById('detail');
  const whole = Math.max(0.001, ...events.map((e) => e[AT] + e[TOOK]));
  const firstView = [0, Math.min(whole, goal * 1.02)];
  let [from, to] = firstView, chosen = -1;
  const make = (tag, name, parent) => { const e = document.createElement(tag); if (name) e.className = name; parent.append(e); return e; };
  const ruler = make('div', 'ruler', timeline);
  ruler.setAttribute('aria-hidden', 'true');
  const rows = new Map();
  const depths = events.map(() => 0);
  for (const lane of lanes) {
    const mine = events.map((e, i) => i).filter((i) => lanes[events[i][LANE]] === lane && events[i][KIND] !== 'runs');
    if (mine.length === 0) continue;
    const open = [];
    let deepest = 0;
    for (const i of mine) {
      while (open.length && events[open.at(-1)][AT] + events[open.at(-1)][TOOK] <= events[i][AT] + 1e-6) open.pop();
      depths[i] = open.length;
      deepest = Math.max(deepest, open.length);
      open.push(i);
    }
    const row = make('div', 'lane', timeline);
    row.setAttribute('role', 'group');
    row.setAttribute('aria-label', lane);
    make('h3', '', row).textContent = lane;
    const track = make('div', 'track', row);
    track.style.height = 8 + 23 * (deepest + 1) + 'px';
    rows.set(lane, { track, mine });
  }
  const describe = (e) => e[NAME] + ', ' + e[TOOK].toFixed(3) + ' ms at ' + e[AT].toFixed(3) + ' ms, ' + lanes[e[LANE]] + (e[POINTER] ? ', ' + e[POINTER] : '') + (e[ERRNO] ? ', ' + e[ERRNO] : '');
  const drawRuler = (width) => {
    ruler.replaceChildren();
    const rough = (to - from) / Math.max(2, width / 90), power = 10 ** Math.floor(Math.log10(rough));
    const unit = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(unit)));
    for (let t = Math.ceil(from / unit) * unit; t < to; t += unit) {
      const tick = make('span', '', ruler);
      tick.style.left = ((t - from) / (to - from)) * width + 'px';
      tick.textContent = t.toFixed(digits) + ' ms';
    }
  };
  const draw = () => {
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.bar : undefined;
    const width = ruler.clientWidth;
    drawRuler(width);
    for (const { track, mine } of rows.values()) {
      track.replaceChildren();
      const ends = [];
      for (const i of mine) {
        const e = events[i], left = ((e[AT] - from) / (to - from)) * width, right = ((e[AT] + e[TOOK] - from) / (to - from)) * width;
        const depth = depths[i];
        if (right < 0 || left > width || (i !== chosen && right <= (ends[depth] ?? -1) + 0.5 && mine.length > 400)) continue;
        ends[depth] = Math.max(right, left + 2);
        const bar = make('button', 'bar lane-' + lanes[e[LANE]] + ' kind-' + e[KIND] + (e[ERRNO] && e[KIND] !== 'wait' ? ' failed' : '') + (i === chosen ? ' chosen' : ''), track);
        bar.type = 'button';
        bar.dataset.bar = i;
        bar.tabIndex = i === (chosen < 0 ? 0 : chosen) ? 0 : -1;
        const l = Math.max(left, -4);
        bar.style.left = l + 'px';
        bar.style.width = Math.max(2, Math.min(right, width + 4) - l - 1) + 'px';
        bar.style.top = 5 + 23 * depth + 'px';
        bar.setAttribute('aria-label', describe(e));
        bar.title = describe(e);
        if (right - l > 24) bar.textContent = e[NAME];
      }
      if (goal >= from && goal <= to) make('div', 'goal', track).style.left = ((goal - from) / (to - from)) * width + 'px';
    }
    if (focused !== undefined) timeline.querySelector('[data-bar="' + Number(focused) + '"]')?.focus({ preventScroll: true });
    timeline.dataset.from = from.toFixed(4);
    timeline.dataset.to = to.toFixed(4);
  };
  const show = (a, b) => {
    const span = Math.min(whole, Math.max(0.002, b - a));
    from = Math.max(0, Math.min(a, whole - span));
    to = from + span;
    requestAnimationFrame(draw);
  };
  const zoom = (factor, at = (from + to) / 2) => show(at - (at - from) * factor, at + (to - at) * factor);
  const move = (part) => show(from + (to - from) * part, to + (to - from) * part);
  const mark = (selector, element) => {
    document.querySelectorAll(selector).forEach((e) => e.classList.remove('chosen'));
    if (!element) return;
    element.classList.add('chosen');
    const box = element.closest('.scroll, .config');
    if (box) box.scrollTop += element.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
  };
  const choose = (i, focus) => {
    chosen = i;
    const e = events[i], row = document.getElementById('row-' + i);
    if (e[AT] + e[TOOK] < from || e[AT] > to) show(e[AT] + e[TOOK] / 2 - (to - from) / 2, e[AT] + e[TOOK] / 2 + (to - from) / 2);
    mark('#steps tr', row);
    mark('.config li', row && row.dataset.line ? document.getElementById('line-' + row.dataset.line) : undefined);
    detail.textContent = describe(e) + (row && row.dataset.line ? ', line ' + row.dataset.line : '');
    draw();
    if (focus) timeline.querySelector('[data-bar="' + i + '"]')?.focus({ preventScroll: true });
  };
  const timeAt = (x) => from + ((x - ruler.getBoundingClientRect().left) / ruler.clientWidth) * (to - from);
  timeline.addEventListener('wheel', (event) => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move((event.deltaX || event.deltaY) / 1000);
    else zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event.clientX));
  }, { passive: false });
  let drag;
  timeline.addEventListener('pointerdown', (event) => { drag = { x: event.clientX, from, to, moved: false }; });
  addEventListener('pointermove', (event) => {
    if (!drag || !event.buttons) return;
    if (Math.abs(event.clientX - drag.x) > 4) drag.moved = true;
    if (drag.moved) { const by = ((drag.x - event.clientX) / ruler.clientWidth) * (drag.to - drag.from); show(drag.from + by, drag.to + by); }
  });
  timeline.addEventListener('click', (event) => {
    const bar = event.target.closest('[data-bar]');
    if (bar && !(drag && drag.moved)) choose(Number(bar.dataset.bar), true);
  });
  document.getElementById('steps').addEventListener('click', (event) => {
    const row = event.target.closest('tr');
    if (row) choose(Number(row.dataset.event), false);
  });
  const laneOf = (i) => rows.get(lanes[events[i][LANE]]).mine;
  const neighbour = (i, by) => { const mine = laneOf(i), at = mine.indexOf(i) + by; return mine[Math.max(0, Math.min(mine.length - 1, at))]; };
  const nearest = (i, by) => {
    const names = [...rows.keys()], at = names.indexOf(lanes[events[i][LANE]]) + by;
    if (at < 0 || at >= names.length) return i;
    return rows.get(names[at]).mine.reduce((best, one) => Math.abs(events[one][AT] - events[i][AT]) < Math.abs(events[best][AT] - events[i][AT]) ? one : best);
  };
  const keys = { '+': () => zoom(0.6), '=': () => zoom(0.6), '-': () => zoom(1.6), 0: () => show(...firstView) };
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const bar = event.target.closest ? event.target.closest('[data-bar]') : undefined, i = bar ? Number(bar.dataset.bar) : -1;
    const go = { ArrowRight: () => neighbour(i, 1), ArrowLeft: () => neighbour(i, -1), ArrowDown: () => nearest(i, 1), ArrowUp: () => nearest(i, -1), Home: () => laneOf(i)[0], End: () => laneOf(i).at(-1) }[event.key];
    const free = event.target === document.body;
    if (i >= 0 && go) choose(go(), true);
    else if (keys[event.key]) keys[event.key]();
    else if (free && event.key === 'ArrowRight') move(0.2);
    else if (free && event.key === 'ArrowLeft') move(-0.2);
    else return;
    event.preventDefault();
  });
  const on = (id, act) => document.getElementById(id).addEventListener('click', act);
  on('in', () => zoom(0.6)), on('out', () => zoom(1.6)), on('earlier', () => move(-0.3)), on('later', () => move(0.3));
  on('start', () => show(...firstView)), on('all', () => show(0, whole));
  new ResizeObserver(draw).observe(timeline);
  draw();
})();
`;

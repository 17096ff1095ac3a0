export const timelineStyle = `
:root{--engine:#1f6feb;--host:#6e40c9;--joiner:#9a6700;--init:#1a7f37;--hooks:#bf3989;--wait:#afb8c1}
@media(prefers-color-scheme:dark){:root{--engine:#388bfd;--host:#a371f7;--joiner:#d29922;--init:#3fb950;--hooks:#f778ba;--wait:#565f6b}}
.legend{font-size:13px}.key{display:inline-block;width:12px;height:12px;border-radius:3px;margin:0 5px 0 10px;vertical-align:-1px}.legend .key:first-child{margin-left:0}
.tools{display:flex;gap:6px;align-items:center;flex-wrap:wrap;margin:10px 0}.tools span{font-size:13px;margin-left:6px}
#timeline{position:relative;border:1px solid var(--line);border-radius:6px;background:var(--panel);overflow:hidden;user-select:none;touch-action:pan-y}
.ruler{position:relative;height:24px;margin-left:74px;border-bottom:1px solid var(--line);font-size:12px;color:var(--soft);overflow:hidden}
.ruler span{position:absolute;top:3px;padding-left:4px;border-left:1px solid var(--line);white-space:nowrap;height:24px}
.lane{display:flex;border-bottom:1px solid var(--line)}.lane:last-child{border-bottom:0}.lane h3{width:74px;flex:none;margin:0;padding:5px 8px;font-size:13px;font-weight:600}
.track{position:relative;flex:1;overflow:hidden;border-left:1px solid var(--line)}
.bar{position:absolute;height:20px;padding:0 3px;border:0;border-radius:3px;overflow:hidden;white-space:nowrap;text-overflow:clip;text-align:left;font-size:12px;line-height:20px;color:#fff;min-width:2px}
.bar:hover,.bar.chosen{filter:brightness(1.15)}.bar.chosen{outline:2px solid var(--focus);outline-offset:1px;z-index:2}
.lane-engine{background:var(--engine)}.lane-host{background:var(--host)}.lane-joiner{background:var(--joiner)}.lane-init{background:var(--init)}.lane-hooks{background:var(--hooks)}
@media(prefers-color-scheme:dark){.bar{color:#0b0e12}}
.bar.kind-wait{background:repeating-linear-gradient(135deg,transparent 0 4px,var(--wait) 4px 5px);color:var(--soft);border:1px solid var(--wait);line-height:18px}
.bar.failed{background:var(--bad);color:var(--paper)}.goal{position:absolute;top:0;bottom:0;width:0;border-left:2px dashed var(--bad);pointer-events:none}
#detail{min-height:3em;margin:8px 0;padding:6px 10px;border-left:4px solid var(--line);white-space:pre-wrap;overflow-wrap:anywhere}
.columns{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:20px}@media(max-width:900px){.columns{grid-template-columns:minmax(0,1fr)}}
.scroll,.config{max-height:420px;overflow:auto;border:1px solid var(--line);border-radius:6px;margin:0}.scroll table{font-size:13px;table-layout:fixed}.scroll th:nth-child(1){width:76px}.scroll th:nth-child(2){width:68px}.scroll th:nth-child(3){width:60px}.scroll th:nth-child(5){width:27%}.scroll th:nth-child(6){width:70px}.scroll td{overflow-wrap:anywhere}.scroll th{position:sticky;top:0;background:var(--panel)}
.scroll th:first-child,.scroll td:first-child{padding-left:8px}.scroll tr.chosen,.config li.chosen{background:var(--mark)}.scroll td code{overflow-wrap:anywhere}
button.plain{background:none;border:0;padding:0;text-align:left;border-radius:2px}.config{padding:6px 0 6px 4em;background:var(--panel);list-style:decimal}.config li::marker{color:var(--soft);font-size:12px}
.config code{white-space:pre-wrap;overflow-wrap:anywhere}.bad,.bad td{color:var(--bad)}table.phases{width:auto;min-width:420px;margin-bottom:30px}.phases td,.phases th{padding-right:20px}
@media(prefers-reduced-motion:no-preference){.config,.scroll{scroll-behavior:smooth}}
`;

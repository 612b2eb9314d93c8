#include "report/html/style_sheet.hpp"

namespace boundflow {

std::string_view style_sheet() {
  return R"css(
:root {
  color-scheme: light dark;
  --paper: #fcfcfb; --card: #ffffff; --ink: #1c2024; --quiet: #646b73; --rule: #e3e5e8; --edge: #a3abb4;
  --accent: #2f6db5; --proved: #1a7f4b; --violated: #b3362b; --undecided: #8a6100;
  --bounds: #4c7fc0; --error_weights: #a9b6c6; --lines: #e39b3b; --planes: #c96a3d; --rows: #46a187; --points: #8a74c4;
  --input: #e9eff8; --affine: #eef4ee; --other: #ffffff; --nonlinear: #fbf1e2; --batch: #e9eff8;
  --neurons: #e6f3ef; --spec: #fbf1e2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181b; --card: #1c2024; --ink: #e4e7ea; --quiet: #98a1aa; --rule: #30363c; --edge: #66707a;
    --accent: #7db1ee; --proved: #5cc48d; --violated: #f08a7e; --undecided: #e0b44a;
    --bounds: #5a8fd3; --error_weights: #5e6a78; --lines: #d8923a; --planes: #c46e48; --rows: #45a188; --points: #9682d2;
    --input: #22303f; --affine: #223029; --other: #22272c; --nonlinear: #352c1e; --batch: #22303f;
    --neurons: #1f322d; --spec: #352c1e;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 1128px;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.01em; margin: 0 0 0.35rem; font-weight: 650; }
h2 { font-size: 1.2rem; margin: 3rem 0 0.6rem; padding-top: 0.8rem; border-top: 1px solid var(--rule); font-weight: 650; }
h3 { font-size: 1rem; margin: 2rem 0 0.5rem; font-weight: 650; }
h4 { font-size: 0.92rem; margin: 1.6rem 0 0.3rem; font-weight: 600; }
p { margin: 0.3rem 0 0.8rem; max-width: 46rem; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.brand { color: var(--quiet); font-size: 0.85rem; margin: 0 0 1.2rem; }
.quiet, .note { color: var(--quiet); }
.note { font-size: 0.82rem; }
.answer { display: inline-block; font-weight: 650; padding: 0.05em 0.55em; border-radius: 0.3em; margin-right: 0.45em;
  border: 1.5px solid currentColor; }
.answer.unsat { color: var(--proved); } .answer.sat { color: var(--violated); }
.answer.unknown, .answer.timeout { color: var(--undecided); }
nav { font-size: 0.88rem; margin: 1rem 0 0; display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1px; margin: 1.6rem 0;
  background: var(--rule); border: 1px solid var(--rule); border-radius: 8px; overflow: hidden; }
.figures div { background: var(--card); padding: 0.8rem 1rem; }
.figures dt { color: var(--quiet); font-size: 0.8rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-weight: 600; letter-spacing: -0.01em; }
.figures .note { font-size: 0.78rem; font-weight: 400; letter-spacing: 0; display: block; }
.facts { display: grid; grid-template-columns: max-content 1fr max-content 1fr; gap: 0.15rem 1.5rem; margin: 0.8rem 0; font-size: 0.92rem; }
.facts dt { color: var(--quiet); } .facts dd { margin: 0; } .facts .note { margin-left: 0.6em; }
.figure { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px; margin: 0.6rem 0; }
.scroll { overflow: auto; max-height: 80vh; }
svg text { fill: var(--ink); font-size: 11px; }
.graph { display: block; margin: 0 auto; }
.edge { fill: none; stroke: var(--edge); stroke-width: 1.2; stroke-linejoin: round; }
.arrow { fill: var(--edge); }
.box rect { fill: var(--other); stroke: var(--edge); stroke-width: 1; }
.box:hover rect { stroke: var(--accent); stroke-width: 1.6; }
.box.input rect { fill: var(--input); } .box.affine rect { fill: var(--affine); }
.box.nonlinear rect { fill: var(--nonlinear); } .box.batch rect { fill: var(--batch); }
.box.neurons rect { fill: var(--neurons); } .box.spec rect { fill: var(--spec); }
.box rect.share, .box:hover rect.share { fill: var(--accent); stroke: none; }
.box a:hover { text-decoration: none; }
.head { font-weight: 600; font-size: 12px; } svg .line { fill: var(--quiet); font-size: 10.5px; }
svg .aside { fill: var(--quiet); text-anchor: end; font-size: 10px; }
.chart { display: block; width: 100%; height: auto; }
.grid { stroke: var(--rule); stroke-width: 1; }
svg .tick { fill: var(--quiet); font-size: 10.5px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.peak { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 4 3; } svg .peak-label { font-weight: 600; }
.buffer { stroke: var(--card); stroke-width: 0.6; } .fine .buffer { stroke: none; }
.chart .buffer:hover { stroke: var(--ink); stroke-width: 1.4; }
.bounds { fill: var(--bounds); } .error_weights { fill: var(--error_weights); } .lines { fill: var(--lines); }
.planes { fill: var(--planes); } .rows { fill: var(--rows); } .points { fill: var(--points); }
.closed { fill: var(--proved); } .split { fill: var(--bounds); } .left { fill: var(--lines); }
.curve { fill: none; stroke: var(--accent); stroke-width: 1.6; stroke-linejoin: round; }
.task.even { fill: var(--rule); } .task.odd { fill: var(--input); } .task:hover { fill: var(--accent); }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0.4rem 0 0 72px; font-size: 0.8rem; color: var(--quiet); }
.legend svg { vertical-align: -1px; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; }
td, th { padding: 0.14rem 0.8rem 0.14rem 0; text-align: left; font-weight: 400; vertical-align: middle; }
.bars .name { width: 34%; } .bars .bar { width: 36%; } .bar svg { display: block; width: 100%; height: 11px; }
.amount { fill: var(--accent); } .open { fill: var(--rule); } .zero { stroke: var(--edge); vector-effect: non-scaling-stroke; }
.intervals { width: auto; } .intervals td { padding-top: 0; padding-bottom: 0; }
.intervals .bar { width: min(34rem, 45vw); } .intervals .bar svg { height: 1.5rem; }
.number { text-align: right; white-space: nowrap; } .number.left { text-align: left; padding-left: 0.8rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 0 2.5rem; }
details { margin: 0.3rem 0; } summary { cursor: pointer; }
.tasks details { border-top: 1px solid var(--rule); margin: 0; }
.tasks details:target { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.tasks summary { display: grid; grid-template-columns: 2.6rem minmax(10rem, 1fr) 13rem 4.5rem 10rem 9rem; gap: 0 0.8rem;
  padding: 0.25rem 0; font-size: 0.88rem; align-items: baseline; list-style: none; }
.tasks summary:hover { background: var(--input); }
.tasks .header { color: var(--quiet); cursor: default; font-size: 0.8rem; }
.tasks summary span:nth-child(n+4) { text-align: right; }
.ops { font: 12px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; margin: 0.3rem 0 0.9rem; }
.ops td { vertical-align: top; } .ops td:first-child { color: var(--quiet); width: 3.5rem; }
footer { margin-top: 3rem; color: var(--quiet); font-size: 0.82rem; }
@media (max-width: 820px) {
  .facts { grid-template-columns: max-content 1fr; }
  .tasks summary { grid-template-columns: 2.2rem 1fr 5rem; } .tasks summary span:nth-child(n+4) { display: none; }
}
@media print { .scroll { max-height: none; overflow: visible; } body { max-width: none; } }
)css";
}

}  // namespace boundflow

#include "report/page.hpp"

namespace weft::report {

// Colours are variables, replaced in the dark; those of weights are triples, whose opacity is the weight.
const std::string_view page_style = R"css(
:root { color-scheme: light dark; --paper: #fff; --ground: #eef2f6; --ink: #1f2933; --faint: #56616d; --line: #c9d2db;
  --weight: 11 92 173; --below: 190 75 5; --over: 255 214 0; --mark: #d9480f; --gap: #b8c2cc; --shade: 0.55;
  --line-0: #0b5cad; --line-1: #c2410c; --line-2: #15803d; --line-3: #7e22ce; --line-4: #a16207; --line-5: #be185d; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ground: #222a33; --ink: #e4e9ef; --faint: #a3b0bd;
  --line: #3b4653; --weight: 108 182 255; --below: 255 146 76; --mark: #ff922b; --gap: #4c5864; --shade: 0.5;
  --line-0: #6cb6ff; --line-1: #ff924c; --line-2: #4ade80; --line-3: #d0a3ff; --line-4: #facc15; --line-5: #f9a8d4; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0 1rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
figure { margin: 1.25rem 0 2rem; }
figcaption { font-weight: 600; margin-bottom: 0.4rem; }
.choices { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; margin: 0.4rem 0; }
select { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 4px;
  padding: 0.15rem 0.3rem; min-height: 2rem; }
.scroll { overflow-x: auto; max-width: 100%; }
canvas { display: block; touch-action: manipulation; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.status { min-height: 1.5em; margin: 0.3rem 0 0; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
.note { margin: 0.3rem 0; font-size: 0.85rem; color: var(--faint); }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; font-size: 0.85rem; margin: 0; padding: 0; list-style: none; }
.key { display: inline-block; width: 1.2em; height: 0.3em; margin-right: 0.4em; vertical-align: middle; }
.shaded { border-radius: 4px; padding: 0.2rem; }
.shaded p { margin: 0 0 0.3rem; padding-left: 0.5rem; border-left: 6px solid transparent; line-height: 1.9; }
.shaded span { border-radius: 3px; padding: 0.1em 0.15em; }
.close span { border-radius: 0; padding: 0.1em 0; }
.shaded [aria-selected=true] { outline: 2px solid var(--mark); }
details { font-size: 0.9rem; margin-top: 0.3rem; }
summary { cursor: pointer; color: var(--faint); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: 0.15rem 0.5rem; text-align: right; overflow-wrap: normal; }
th { background: var(--ground); font-weight: 600; }
td:first-child, th:first-child { text-align: left; }
#tooltip { position: fixed; pointer-events: none; background: var(--ink); color: var(--paper); padding: 0.2rem 0.5rem;
  border-radius: 4px; font-size: 0.85rem; max-width: 20rem; z-index: 1; }
)css";

}  // namespace weft::report

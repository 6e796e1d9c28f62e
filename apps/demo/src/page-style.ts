/** The page's style sheet. The six steps of the colour scale are custom properties, so that dark mode is one block. */
export const PAGE_STYLE: string = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --ink: #1b1d21; --faint: #62676f; --rule: #e2e3e0; --accent: #1c64a8; --bad: #b3261e;
  --s0: #e4eef6; --s1: #c2dbec; --s2: #93bfde; --s3: #5a98c6; --s4: #2b6ea4; --s5: #0c3f6c;
  --t0: #17303f; --t1: #17303f; --t2: #10293a; --t3: #05131d; --t4: #ffffff; --t5: #ffffff;
}
[data-scale="errors"] { --s0: #eceeec; --s1: #f8ddd3; --s2: #f3b8a5; --s3: #df7d68; --s4: #b5443a; --s5: #7a1a1d; --t3: #2b0a07; }
[data-scale="repeated"] { --s0: #e9efe6; --s1: #d2e4c8; --s2: #abcf9c; --s3: #74ad6c; --s4: #3c8044; --s5: #15502a; --t3: #0c2310; }
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1d2024; --ink: #e6e7e9; --faint: #9aa0a8; --rule: #33373d; --accent: #7db8ee; --bad: #ff8a80;
    --s0: #22303c; --s1: #24435c; --s2: #2b5f86; --s3: #3b78a6; --s4: #74b0dc; --s5: #b9ddf6;
    --t0: #dbe6ee; --t1: #e4eef6; --t2: #ffffff; --t3: #ffffff; --t4: #08202f; --t5: #08202f;
  }
  [data-scale="errors"] { --s0: #2b2e31; --s1: #4a2b28; --s2: #743530; --s3: #a8483e; --s4: #dc7461; --s5: #ffb3a2; --t3: #ffffff; }
  [data-scale="repeated"] { --s0: #29302a; --s1: #2a4530; --s2: #33653c; --s3: #458149; --s4: #7fba76; --s5: #c0e6b3; --t3: #ffffff; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 40px 0 10px; }
.sub { color: var(--faint); margin: 2px 0 0; overflow-wrap: anywhere; }
.warning { color: var(--bad); font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin: 22px 0 0; padding: 0; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 12px; }
.tile dt { color: var(--faint); font-size: 13px; white-space: nowrap; }
.tile dd { margin: 0; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; }
.bar { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: center; justify-content: space-between; margin-bottom: 8px; }
.crumbs { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; min-height: 32px; }
button, select { font: inherit; color: inherit; }
.crumbs button { background: none; border: 0; padding: 2px 4px; color: var(--accent); cursor: pointer; border-radius: 4px; }
.crumbs span { padding: 2px 4px; }
.crumbs .sep { color: var(--faint); padding: 0; }
.bar select { background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 3px 6px; }
.map { position: relative; height: min(62vh, 620px); min-height: 360px; border-radius: 8px; overflow: hidden; background: var(--rule); }
.cell { position: absolute; border: 0; padding: 3px 6px; margin: 0; text-align: left; overflow: hidden; font-size: 12.5px; line-height: 1.3; display: flex; flex-direction: column; align-items: flex-start; justify-content: flex-start; box-shadow: inset 0 0 0 1px var(--page); cursor: default; border-radius: 3px; }
.cell.open { cursor: zoom-in; }
.cell b { font-weight: 600; max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.cell i { font-style: normal; white-space: nowrap; }
.inner { position: absolute; overflow: hidden; padding: 1px 4px; font-size: 11px; white-space: nowrap; text-overflow: ellipsis; border-radius: 2px; pointer-events: none; box-shadow: inset 0 0 0 0.5px var(--page); }
.cell:hover { box-shadow: inset 0 0 0 2px var(--ink); z-index: 1; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
.cell:focus-visible { outline: 0; box-shadow: inset 0 0 0 3px var(--accent), inset 0 0 0 5px var(--page); z-index: 2; }
.s0 { background: var(--s0); color: var(--t0); } .s1 { background: var(--s1); color: var(--t1); } .s2 { background: var(--s2); color: var(--t2); }
.s3 { background: var(--s3); color: var(--t3); } .s4 { background: var(--s4); color: var(--t4); } .s5 { background: var(--s5); color: var(--t5); }
.under { display: flex; flex-wrap: wrap; gap: 6px 24px; justify-content: space-between; margin-top: 8px; font-size: 13.5px; min-height: 24px; }
.detail { overflow-wrap: anywhere; flex: 1 1 420px; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 4px; color: var(--faint); }
.legend .key { min-width: 46px; text-align: center; padding: 1px 6px; border-radius: 3px; font-size: 12px; font-variant-numeric: tabular-nums; }
.help { color: var(--faint); font-size: 13px; margin: 2px 0 0; }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 8px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; border-bottom: 1px solid var(--rule); padding: 0; white-space: nowrap; font-weight: 600; }
th button { background: none; border: 0; padding: 8px 12px; width: 100%; text-align: inherit; font-weight: inherit; cursor: pointer; }
th button::after { content: ""; display: inline-block; width: 1em; text-align: right; color: var(--accent); }
th.number button::after { content: none; }
th.number button::before { content: ""; display: inline-block; width: 1em; color: var(--accent); }
th.number[aria-sort="ascending"] button::before { content: "↑"; }
th.number[aria-sort="descending"] button::before { content: "↓"; }
th:not(.number)[aria-sort="ascending"] button::after { content: "↑"; }
th:not(.number)[aria-sort="descending"] button::after { content: "↓"; }
td { padding: 5px 12px; border-top: 1px solid var(--rule); vertical-align: top; }
tbody tr:first-child td { border-top: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.path { overflow-wrap: anywhere; min-width: 260px; }
td.path, code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 12.5px; }
td.name { overflow-wrap: anywhere; min-width: 130px; }
tbody tr:hover { background: color-mix(in srgb, var(--accent) 7%, transparent); }
.more { margin: 8px 0 0; background: none; border: 1px solid var(--rule); border-radius: 6px; padding: 4px 12px; cursor: pointer; color: var(--accent); }
details summary { cursor: pointer; }
details ul { margin: 4px 0; padding-left: 18px; }
.empty { color: var(--faint); }
`;

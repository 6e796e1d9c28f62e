/** The style sheet of `census serve`: that of the page that `--html` writes, and more. */
import { PAGE_STYLE } from "../page-style.ts";

export const SERVE_STYLE: string = `${PAGE_STYLE}
header { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: center; justify-content: space-between; padding: 10px 24px; background: var(--card); border-bottom: 1px solid var(--rule); }
main { padding-top: 16px; }
h1 { font-size: 20px; }
h2 { font-size: 16px; margin: 0 0 8px; overflow-wrap: anywhere; }
p { margin: 0; }
[hidden] { display: none !important; }
.line { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; }
.head, .foot { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: center; justify-content: space-between; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 14px 16px; min-width: 0; }
.top { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 12px; align-items: start; }
.stack { display: grid; gap: 12px; min-width: 0; }
.about { color: var(--faint); font-size: 13px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.alert { color: var(--bad); font-weight: 600; overflow-wrap: anywhere; }
.alert:not(:empty) { margin-top: 8px; }
.empty { font-size: 14px; }
.status { color: var(--faint); font-size: 14px; }
.status[data-connection="lost"] { color: var(--bad); font-weight: 600; }
:where(.card, header) :where(button:not(.cell), input, .button) { border: 1px solid var(--rule); border-radius: 6px; background: var(--card); padding: 3px 10px; min-height: 30px; }
button { cursor: pointer; }
header [aria-expanded="true"] { border-color: var(--accent); color: var(--accent); }
button:disabled { cursor: default; color: var(--faint); }
input { font: inherit; color: inherit; min-width: 0; }
input[type="search"], #path { flex: 1 1 160px; }
input[type="radio"] { min-height: 0; accent-color: var(--accent); }
.button { text-decoration: none; color: var(--accent); font-size: 14px; display: inline-flex; align-items: center; }
.primary { background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 600; }
.link { border: 0; padding: 0; min-height: 24px; background: none; color: var(--accent); text-align: left; overflow-wrap: anywhere; }
.link:hover { text-decoration: underline; }
.link[aria-current] { font-weight: 600; }
.chip { border-radius: 15px; color: var(--accent); overflow-wrap: anywhere; }
progress { width: 100%; height: 8px; accent-color: var(--accent); }
.drop { display: block; margin-top: 10px; padding: 12px; border: 1.5px dashed var(--faint); border-radius: 8px; font-size: 14px; cursor: pointer; }
.drop.over, .drop:focus-within { border-color: var(--accent); background: color-mix(in srgb, var(--accent) 8%, transparent); }
.drop input { display: block; border: 0; padding: 4px 0 0; max-width: 100%; }
ul.uploads, ul.scans, ul.found, ul.effects { list-style: none; margin: 0; padding: 0; }
.uploads li { display: flex; gap: 10px; align-items: center; margin-top: 8px; font-size: 14px; }
.uploads .name { flex: 0 1 40%; overflow-wrap: anywhere; }
.scans { max-height: 420px; overflow-y: auto; }
.scan { padding: 7px 0 7px 10px; border-top: 1px solid var(--rule); border-left: 3px solid transparent; }
.scan:first-child { border-top: 0; }
.scan:has([aria-current]) { border-left-color: var(--accent); }
.scan .about { flex: 1 1 240px; }
.scan .state { font-size: 13px; color: var(--faint); overflow-wrap: anywhere; }
.scan[data-state="failed"] .state, .scan[data-state="interrupted"] .state { color: var(--bad); }
.scan .foot button { font-size: 13px; min-height: 26px; padding: 1px 8px; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend { padding: 0; font-size: 14px; color: var(--faint); }
.choice { display: grid; grid-template-columns: 20px 110px minmax(0, 1fr); gap: 0 8px; align-items: center; font-size: 14px; min-height: 28px; }
.choice span { color: var(--faint); font-size: 13px; }
.stepper { margin-top: 8px; font-size: 14px; }
.stepper input { width: 64px; text-align: center; }
.stepper button { min-width: 34px; }
.strip { display: block; width: 100%; height: 118px; }
.effects { margin-top: 6px; font-size: 13px; font-variant-numeric: tabular-nums; }
.result { margin-top: 12px; }
.result .id { margin-top: 6px; font-size: 14px; }
.result .tiles { margin: 12px 0; }
.lookup { margin-bottom: 12px; }
.lookup .scroll { margin-top: 8px; max-height: 260px; overflow: auto; }
[role="tablist"] { display: flex; overflow-x: auto; border-bottom: 1px solid var(--rule); margin-bottom: 10px; }
[role="tab"] { border: 0; border-bottom: 2px solid transparent; border-radius: 0; background: none; color: var(--faint); padding: 6px 12px; white-space: nowrap; }
[role="tab"][aria-selected="true"] { color: var(--ink); border-bottom-color: var(--accent); font-weight: 600; }
[role="tab"]:focus-visible { outline-offset: -3px; }
.filters { margin-bottom: 8px; font-size: 14px; }
.pages { display: flex; gap: 8px; align-items: center; margin-left: auto; }
th { padding: 0; }
.lookup th { padding: 8px 12px; }
.map { height: min(56vh, 480px); }
#devtools { padding: 0 24px 24px; }
#devtools iframe { display: block; width: 100%; height: 80vh; border: 1px solid var(--rule); border-radius: 8px; }
@media (min-width: 1100px) {
  #app:has(> #devtools:not([hidden])) { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); align-items: start; }
  #app:has(> #devtools:not([hidden])) > header { grid-column: 1 / -1; }
  #app:has(> #devtools:not([hidden])) .top { grid-template-columns: minmax(0, 1fr); }
  #devtools { position: sticky; top: 0; padding: 16px 24px 16px 0; }
  #devtools iframe { height: calc(100vh - 32px); }
}
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 860px) { .top { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 620px) {
  header, main { padding-left: 12px; padding-right: 12px; }
  .card { padding: 12px; }
  :where(.card, header) :where(button:not(.cell), input, .button) { min-height: 36px; }
  .choice { grid-template-columns: 20px minmax(0, 1fr); }
  .choice span { grid-column: 2; }
  .pages { margin-left: 0; }
}
`;

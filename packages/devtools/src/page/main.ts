/** The page: puts its parts together, draws each frame, and fills the lists twice a second. */
import { button, element, setText } from "./element.ts";
import { type Connection, FeedClient } from "./feed-client.ts";
import { Histogram } from "./histogram.ts";
import type { Job } from "./job.ts";
import { JobPanel } from "./job-panel.ts";
import { Lists } from "./lists.ts";
import { Model } from "./model.ts";
import { type Found, search } from "./search.ts";
import { Summary } from "./summary.ts";
import { ThreadControl } from "./thread-control.ts";
import { Timeline } from "./timeline.ts";
import { TimelineInput } from "./timeline-input.ts";
import { Viewport } from "./viewport.ts";

const LISTS_MS = 500;
const SPANS = [1, 5, 10, 30, 60, 300];
const NOTICE: Readonly<Record<Connection, string>> = {
  connecting: "Connecting",
  live: "Live",
  lost: "The connection is lost. Trying again",
  closed: "The pool has closed",
};

const LEGEND = [
  ["q-high", "queued: high"],
  ["q-normal", "normal"],
  ["q-low", "low"],
  ["q-local", "by jobs"],
  ["q-placed", "for one thread"],
  ["submit", "submits"],
  ["policy p-default", "settles; goes on as the task says"],
  ["policy p-inline", "inline"],
  ["policy p-asynchronous", "asynchronous"],
  ["policy p-yield", "yield"],
  ["policy p-scheduler", "by a scheduler"],
  ["run", "runs, a colour for each function"],
  ["failed", "failed"],
] as const;

const model = new Model();
const view = new Viewport();
let selected = 0;
let found: Found | null = null;

const summary = new Summary();
const timeline = new Timeline(model, view);
const control = new ThreadControl();
const waits = new Histogram("Wait, last 10 s");
const runs = new Histogram("Run, last 10 s");
const status = element("p", { class: "status", role: "status" }, NOTICE.connecting);
const spoken = element("p", { class: "unseen", "aria-live": "polite" });
const title = element("h1", {}, "Skein devtools");
const about = element("p", { class: "about" });
const note = element("p", { class: "note", hidden: true });
const legend = element(
  "ul",
  { class: "legend", "aria-label": "Colours of the timeline" },
  ...LEGEND.map(([name, text]) => element("li", { class: `key ${name}` }, text)),
);
const finder = element("input", {
  type: "search",
  placeholder: "correlation id, function, job",
  "aria-label": "Find jobs by correlation id, function or number",
});
const pause = button("Pause", togglePause, { class: "pause", "aria-pressed": "false" });
const span = element("select", { "aria-label": "Time shown" });
for (const seconds of SPANS)
  span.append(new Option(seconds < 60 ? `${seconds} s` : `${seconds / 60} min`, String(seconds)));
span.append(new Option("other", "0"));
const download = element(
  "a",
  { class: "button", href: `timeline.json${location.search}`, download: "skein-timeline.json" },
  "Download trace",
);
download.title = "For ui.perfetto.dev";

const panel = new JobPanel(model, { select, show, find });
const lists = new Lists(model, { select, find });
const input = new TimelineInput(timeline, model, view, { selected: select, moved: showView, said: say });

document.querySelector("#app")!.append(
  element(
    "header",
    {},
    element("div", { class: "name" }, title, status, about),
    element(
      "div",
      { class: "tools" },
      finder,
      pause,
      button("−", () => input.zoom(1.6), { "aria-label": "Show more time" }),
      span,
      button("+", () => input.zoom(1 / 1.6), { "aria-label": "Show less time" }),
      download,
    ),
  ),
  element(
    "main",
    {},
    summary.node,
    control.node,
    element(
      "section",
      { class: "card stage", "aria-label": "Timeline" },
      timeline.canvas,
      input.tip,
      legend,
      note,
    ),
    element(
      "p",
      { class: "unseen", id: "keys" },
      "Left and right go from job to job, up and down from thread to thread, plus and minus zoom, Home and End move, Space pauses, Escape lets go.",
    ),
    element(
      "div",
      { class: "below" },
      lists.node,
      element(
        "div",
        { class: "aside" },
        panel.node,
        element(
          "section",
          { class: "card times", "aria-label": "How long jobs take" },
          waits.node,
          runs.node,
        ),
      ),
    ),
  ),
  spoken,
);

finder.addEventListener("input", () => {
  found = search(model, finder.value);
  if (found !== null) lists.open("Found");
  lists.show(model, found);
});
span.addEventListener("change", () => {
  const seconds = Number(span.value);
  if (seconds > 0) view.zoom((seconds * 1e6) / view.spanUs, view.isPaused ? 0.5 : 1);
});
document.addEventListener("keydown", (event) => {
  const { target } = event;
  const isFree = target === document.body || target === timeline.canvas;
  if (event.key === " " && isFree) {
    event.preventDefault();
    togglePause();
  } else if (event.key === "/" && isFree) {
    event.preventDefault();
    finder.focus();
  }
});

const feed = new FeedClient({
  message(message) {
    model.apply(message);
    if ("nowUs" in message) view.heard(message.nowUs, performance.now());
    if (message.type === "hello") greet();
    if (message.type === "sample") {
      waits.show(message.waitMs);
      runs.show(message.runMs);
      summary.show(model);
      control.show(model);
    }
    if (message.type === "closed") view.stopAt(model.nowUs);
  },
  changed(connection) {
    setText(status, NOTICE[connection]);
    status.className = `status ${connection}`;
  },
});
feed.open();
setInterval(refresh, LISTS_MS);
requestAnimationFrame(frame);

function frame(pageMs: number): void {
  view.advance(pageMs);
  timeline.draw({ selected, found: found?.ids ?? null });
  requestAnimationFrame(frame);
}

function refresh(): void {
  if (finder.value !== "") found = search(model, finder.value);
  lists.show(model, found);
  panel.show(selected);
  const notes = [
    ...(model.oneIn > 1
      ? [`One job in ${model.oneIn} is shown, with all its slices: there are too many to show them all.`]
      : []),
    ...(model.dropped > 0 ? [`${model.dropped} events came too fast and are missing.`] : []),
  ];
  note.hidden = notes.length === 0;
  setText(note, notes.join(" "));
}

function greet(): void {
  const { pool, program } = model.hello!;
  setText(title, pool.name);
  document.title = `${pool.name} · Skein devtools`;
  setText(about, `${program.title.split("/").at(-1)} · pid ${program.pid} · Node ${program.node}`);
  waits.forget();
  runs.forget();
}

function select(job: number): void {
  selected = job;
  panel.show(job);
  const known = model.jobs.get(job);
  say(known === undefined ? "" : panel.describe(known));
}

function show(job: Job): void {
  const from = job.submitted >= 0 ? job.submitted : job.began;
  view.show(from, job.settled >= 0 ? job.settled : model.nowUs);
  showView();
}

function find(text: string): void {
  finder.value = text;
  finder.dispatchEvent(new Event("input"));
}

function say(sentence: string): void {
  setText(spoken, sentence);
}

function togglePause(): void {
  view.pause(!view.isPaused);
  showView();
}

function showView(): void {
  setText(pause, view.isPaused ? "Go on" : "Pause");
  pause.setAttribute("aria-pressed", String(view.isPaused));
  const seconds = view.spanUs / 1e6;
  span.value = String(SPANS.find((each) => Math.abs(each - seconds) < 1e-6) ?? 0);
}
showView();
span.value = "10";

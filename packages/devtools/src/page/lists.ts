/** The lists below the timeline: slow jobs, failed jobs, found jobs, functions, threads. One is shown at a time. */
import { CORRELATION } from "../wire.ts";
import { element } from "./element.ts";
import { bytes, count, duration, jobName, percent } from "./format.ts";
import { type Job, totalUs, waitUs } from "./job.ts";
import { stateText } from "./job-panel.ts";
import type { Lane } from "./lane.ts";
import type { FunctionTimes, Model } from "./model.ts";
import type { Found } from "./search.ts";
import { type Column, Table } from "./table.ts";

const ROWS = 50;
const RECENT_US = 2e6;

export interface ListsEvents {
  select(job: number): void;
  find(text: string): void;
}

interface Tab {
  readonly name: string;
  readonly tab: HTMLButtonElement;
  readonly panel: HTMLElement;
  show(model: Model, found: Found | null): void;
}

export class Lists {
  readonly node: HTMLElement;
  readonly #tabs: readonly Tab[];
  #shown = 0;

  constructor(model: Model, events: ListsEvents) {
    const job: Column<Job> = {
      title: "job",
      text: ({ id, fn }) => `${model.functionName(fn)} ${jobName(id)}`,
      onClick: ({ id }) => events.select(id),
    };
    const total: Column<Job> = {
      title: "in all",
      text: (each) => duration(totalUs(each, model.nowUs)),
      style: "number",
    };
    const wait: Column<Job> = {
      title: "waited",
      text: (each) => duration(waitUs(each, model.nowUs)),
      style: "number",
    };
    const ran: Column<Job> = { title: "ran", text: ({ ranUs }) => duration(ranUs), style: "number" };
    const state: Column<Job> = { title: "state", text: stateText };
    const thread: Column<Job> = {
      title: "thread",
      text: ({ lane }) => (lane < 0 ? "–" : String(lane)),
      style: "number",
    };
    const from: Column<Job> = {
      title: "submitted from",
      text: ({ frames }) => firstFrame(frames),
      style: "path",
    };
    const id: Column<Job> = {
      title: "correlation id",
      text: (each) => model.valuesOf(each)?.[CORRELATION] ?? "",
    };
    const slowest = new Table("Slowest jobs", "No job has ended yet.", [job, total, wait, ran, state, from]);
    const failed = new Table("Failed jobs", "None has failed.", [job, state, total, thread, id, from]);
    const found = new Table("Found jobs", "Nothing is found.", [job, state, wait, ran, total, thread, id]);
    const functions = new Table<[number, FunctionTimes]>("Functions by CPU", "No function has run yet.", [
      {
        title: "function",
        text: ([fn]) => model.functionName(fn),
        onClick: ([fn]) => events.find(model.functionName(fn)),
      },
      { title: "time", text: ([, { selfUs }]) => duration(selfUs), style: "number" },
      {
        title: "share",
        text: ([, { selfUs }]) => percent(selfUs / Math.max(1, allSelfUs(model))),
        style: "number",
      },
      { title: "calls", text: ([, { calls }]) => count(calls), style: "number" },
      {
        title: "mean",
        text: ([, { selfUs, calls }]) => duration(selfUs / Math.max(1, calls)),
        style: "number",
      },
      { title: "longest", text: ([, { longestUs }]) => duration(longestUs), style: "number" },
      { title: "failed", text: ([, each]) => count(each.failed), style: "number" },
    ]);
    const threads = new Table<Lane>("Threads", "The pool has no thread yet.", [
      { title: "thread", text: ({ name }) => name },
      { title: "now", text: (lane) => nowText(model, lane) },
      { title: "busy", text: ({ busy }) => part(busy), style: "number" },
      { title: "parked", text: ({ parked }) => part(parked), style: "number" },
      { title: "CPU", text: ({ cpu }) => part(cpu), style: "number" },
      { title: "loop delay", text: (lane) => loopDelay(lane, model.nowUs), style: "number" },
      { title: "longest hold", text: (lane) => duration(longestHold(lane, model.nowUs)), style: "number" },
      { title: "heap", text: ({ sample }) => memory(sample?.heapUsed), style: "number" },
      { title: "limit", text: ({ sample }) => memory(sample?.heapLimit), style: "number" },
      { title: "jobs", text: ({ sample }) => count(sample?.executed ?? 0), style: "number" },
      { title: "stolen", text: ({ sample }) => count(sample?.stolen ?? 0), style: "number" },
    ]);
    this.#tabs = [
      this.#tab("Slowest", slowest.node, ({ slowest: jobs }) => slowest.show(jobs)),
      this.#tab("Failed", failed.node, ({ failed: jobs }) => failed.show(jobs)),
      this.#tab("Functions", functions.node, ({ times }) =>
        functions.show([...times].toSorted(([, a], [, b]) => b.selfUs - a.selfUs).slice(0, ROWS)),
      ),
      this.#tab("Threads", threads.node, ({ lanes }) =>
        threads.show(lanes.filter(({ index }) => index >= 0)),
      ),
      this.#tab("Found", found.node, (_, jobs) => found.show(jobs?.jobs ?? [])),
    ];
    const list = element(
      "div",
      { role: "tablist", "aria-label": "Lists" },
      ...this.#tabs.map(({ tab }) => tab),
    );
    list.addEventListener("keydown", (event) => this.#key(event));
    this.node = element("section", { class: "card lists" }, list, ...this.#tabs.map(({ panel }) => panel));
    this.open("Slowest");
  }

  open(name: string): void {
    this.#shown = this.#tabs.findIndex((each) => each.name === name);
    for (const [i, { tab, panel }] of this.#tabs.entries()) {
      const isShown = i === this.#shown;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      panel.hidden = !isShown;
    }
  }

  show(model: Model, found: Found | null): void {
    for (const { name, tab } of this.#tabs) {
      const number = name === "Failed" ? model.failed.length : name === "Found" ? (found?.ids.size ?? 0) : 0;
      const label = number === 0 ? name : `${name} ${count(number)}`;
      if (tab.textContent !== label) tab.textContent = label;
    }
    this.#tabs[this.#shown]!.show(model, found);
  }

  #tab(name: string, content: HTMLElement, show: Tab["show"]): Tab {
    const id = name.toLowerCase();
    const tab = element(
      "button",
      { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}` },
      name,
    );
    tab.addEventListener("click", () => this.open(name));
    const panel = element(
      "div",
      { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}` },
      content,
    );
    return { name, tab, panel, show };
  }

  #key(event: KeyboardEvent): void {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = this.#tabs[(this.#shown + by + this.#tabs.length) % this.#tabs.length]!;
    this.open(next.name);
    next.tab.focus();
  }
}

function allSelfUs({ times }: Model): number {
  let sum = 0;
  for (const { selfUs } of times.values()) sum += selfUs;
  return sum;
}

function nowText(model: Model, { open, exit }: Lane): string {
  if (exit !== null) return exit.crashed ? `crashed (${exit.exitCode})` : "ended";
  const slice = open.findLast(({ kind }) => kind === "run" || kind === "resume");
  if (slice !== undefined) return `${model.functionName(slice.fn)}, ${duration(model.nowUs - slice.start)}`;
  return open.at(-1)?.kind === "start" ? "starts" : "idle";
}

/** The longest that its event loop was late in the last two seconds. */
function loopDelay({ delays, exit }: Lane, nowUs: number): string {
  if (delays.count === 0 || exit !== null) return "–";
  return duration(delays.largest(nowUs - RECENT_US, nowUs) * 1000);
}

/** The longest that one job has held it in the last two seconds: it did not return. */
function longestHold({ slices, open }: Lane, nowUs: number): number {
  const from = nowUs - RECENT_US;
  let longest = 0;
  for (let number = slices.endingFrom(from); number < slices.count; number++) {
    const i = slices.at(number);
    if (slices.depth[i] === 0) longest = Math.max(longest, slices.end[i]! - slices.start[i]!);
  }
  const [outermost] = open;
  if (outermost !== undefined && outermost.kind !== "parked")
    longest = Math.max(longest, nowUs - outermost.start);
  return longest;
}

function part(value: number | null): string {
  return value === null ? "–" : percent(value);
}

function memory(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : bytes(value);
}

/** The function and the file's name. */
function firstFrame(frames: string | null): string {
  const line = frames?.trim().split("\n", 1)[0] ?? "";
  return line.replace(/^at /, "").replace(/\(?(?:file:\/\/)?[^()\s]*\/([^/()\s]+)\)?$/, "$1");
}

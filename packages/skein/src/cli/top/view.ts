/** What `skein top` has seen, as lines of text. */
import {
  type Batch,
  CORRELATION,
  type FeedMessage,
  type Hello,
  NONE_QUEUED,
  type Queued,
  type Sample,
  SLICE_FIELDS,
  type Slice,
  sliceAt,
} from "@skein/devtools/feed";
import { durationText } from "./duration-text.ts";

interface Lane {
  readonly threadId: number;
  readonly index: number;
  /** What part of each of the last steps it was at jobs. */
  readonly busy: number[];
  now: Slice | null;
  busyUs: number;
  exitCode: number | null;
}

interface SlowJob {
  readonly job: number;
  readonly fn: number;
  readonly totalUs: number;
  readonly outcome: string;
}

/** Of the lanes: as far back as anybody looks. */
const STEPS = 400;
const LISTED = 10;
const FOR_US = 60e6;
const BLOCKS = " ▁▂▃▄▅▆▇█";
/** Jobs that wait to settle: more are forgotten, the oldest first. */
const MAX_OPEN = 10_000;

export class TopView {
  #hello: Hello | null = null;
  #before: Sample | null = null;
  #sample: Sample | null = null;
  #queued: Queued = NONE_QUEUED;
  #lanes: Lane[] = [];
  #nowUs = 0;
  /** The longest that the event loop of a thread was late in the last step. */
  #threadDelayUs = 0;
  #isClosed = false;
  readonly #functions = new Map<number, string>();
  readonly #submitted = new Map<number, number>();
  readonly #ids = new Map<number, string>();
  #slowest: (SlowJob & { readonly settledUs: number })[] = [];

  /** Nobody has told it which pool this is. */
  get isEmpty(): boolean {
    return this.#hello === null;
  }

  apply(message: FeedMessage): void {
    switch (message.type) {
      case "hello":
        this.#hello = message;
        for (const [id, name] of message.functions) this.#functions.set(id, name);
        break;
      case "batch":
        this.#batch(message);
        break;
      case "sample":
        this.#before = this.#sample;
        this.#sample = message;
        break;
      case "closed":
        this.#isClosed = true;
    }
  }

  /** @param rows So many at most. */
  lines(columns: number, rows: number): string[] {
    const lines = [
      this.#title(),
      this.#rates(),
      this.#queues(),
      "",
      ...this.#laneLines(columns),
      "",
      ...this.#slowestLines(),
    ];
    return (
      lines
        .slice(0, rows)
        // Names and ids are other people's texts: a terminal would take control characters in them for commands.
        .map((line) => line.replace(/\p{Cc}/gu, "\uFFFD"))
        .map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line))
    );
  }

  #batch({ nowUs, oneIn, queued, functions, threads, contexts }: Batch): void {
    const stepUs = Math.max(1, nowUs - this.#nowUs);
    this.#nowUs = nowUs;
    this.#queued = queued;
    this.#threadDelayUs = Math.max(0, ...threads.map(({ loopDelayUs }) => loopDelayUs ?? 0));
    for (const [id, name] of functions) this.#functions.set(id, name);
    for (const [job, values] of contexts) remember(this.#ids, job, values[CORRELATION] ?? "");
    for (const { threadId, index, slices, exit } of threads) {
      const lane = this.#lane(threadId, index);
      lane.now = null;
      lane.busyUs = 0;
      lane.exitCode = exit === null ? null : exit.exitCode;
      for (let at = 0; at < slices.length; at += SLICE_FIELDS)
        this.#slice(lane, sliceAt(slices, at), nowUs - stepUs);
      lane.busy.push(Math.min(1, (oneIn * lane.busyUs) / stepUs));
      if (lane.busy.length > STEPS) lane.busy.shift();
    }
    this.#slowest = this.#slowest.filter(({ settledUs }) => settledUs > nowUs - FOR_US);
  }

  #slice(lane: Lane, slice: Slice, since: number): void {
    const { kind, start, end, job, ref } = slice;
    if (kind === "submit") remember(this.#submitted, job, start);
    else if (kind === "settle") this.#settles(slice);
    else if (kind === "run" || kind === "resume") {
      if (!this.#submitted.has(job) && ref > 0 && end < 0) remember(this.#submitted, job, ref);
      lane.busyUs += (end < 0 ? this.#nowUs : end) - Math.max(start, since);
      if (end < 0) lane.now = slice;
    }
  }

  #settles({ job, fn, start, outcome }: Slice): void {
    const submitted = this.#submitted.get(job);
    this.#submitted.delete(job);
    if (submitted === undefined) return;
    this.#slowest.push({ job, fn, totalUs: start - submitted, outcome: outcome ?? "", settledUs: start });
    this.#slowest.sort((a, b) => b.totalUs - a.totalUs);
    this.#slowest.length = Math.min(this.#slowest.length, LISTED);
  }

  #lane(threadId: number, index: number): Lane {
    let lane = this.#lanes.find((each) => each.threadId === threadId);
    if (lane === undefined) {
      lane = { threadId, index, busy: [], now: null, busyUs: 0, exitCode: null };
      this.#lanes = [...this.#lanes.filter((each) => each.exitCode === null), lane].toSorted(
        (a, b) => a.index - b.index,
      );
    }
    return lane;
  }

  #title(): string {
    if (this.#hello === null) return "connecting";
    const { pool, program } = this.#hello;
    return `${pool.name} · ${program.title.split("/").at(-1)} · pid ${program.pid} · Node ${program.node}${this.#isClosed ? " · the pool has closed" : ""}`;
  }

  #rates(): string {
    const sample = this.#sample;
    if (sample === null) return "";
    const { running, threads, minThreads, maxThreads, waitMs, runMs, main } = sample;
    return [
      `${this.#perSecond()} jobs/s`,
      `${running} of ${threads.length} threads busy (${minThreads} to ${maxThreads})`,
      `wait ${durationText(waitMs.p50 * 1000)}, 99% ${durationText(waitMs.p99 * 1000)}`,
      `run ${durationText(runMs.p50 * 1000)}, 99% ${durationText(runMs.p99 * 1000)}`,
      `loop delay ${durationText(main.delayMaxMs * 1000)}, threads ${durationText(this.#threadDelayUs)}`,
    ].join(" · ");
  }

  #perSecond(): string {
    const [before, sample] = [this.#before, this.#sample];
    if (before === null || sample === null || sample.nowUs <= before.nowUs) return "0";
    const jobs = endedOf(sample) - endedOf(before);
    return Math.round(jobs / ((sample.nowUs - before.nowUs) / 1e6)).toLocaleString("en");
  }

  #queues(): string {
    const [high, normal, low, local, placed] = this.#queued;
    const { completed = 0, failed = 0, canceled = 0, crashed = 0 } = this.#sample ?? {};
    return `queued ${high} high, ${normal} normal, ${low} low, ${local} local, ${placed} placed · completed ${completed.toLocaleString("en")}, failed ${failed}, canceled ${canceled}, crashed ${crashed}`;
  }

  #laneLines(columns: number): string[] {
    const width = Math.max(10, Math.min(STEPS, columns - 52));
    return this.#lanes
      .filter(({ index }) => index >= 0)
      .map(({ threadId, busy, now, exitCode }) => {
        const bars = busy.slice(-width).map((part) => BLOCKS[Math.ceil(part * (BLOCKS.length - 1))]!);
        const what =
          exitCode !== null
            ? `ended, exit code ${exitCode}`
            : now === null
              ? "idle"
              : `${this.#nameOf(now.fn)} ${durationText(this.#nowUs - now.start)}`;
        return `thread ${String(threadId).padEnd(4)} ${bars.join("").padStart(width)} ${what}`;
      });
  }

  #slowestLines(): string[] {
    if (this.#slowest.length === 0) return [];
    return [
      "slowest in a minute",
      ...this.#slowest.map(({ job, fn, totalUs, outcome }) =>
        `${durationText(totalUs).padStart(9)}  ${outcome.padEnd(9)}  ${this.#nameOf(fn)}  ${this.#ids.get(job) ?? ""}`.trimEnd(),
      ),
    ];
  }

  #nameOf(fn: number): string {
    return this.#functions.get(fn) ?? "a job from before";
  }
}

function endedOf({ completed, failed, canceled, crashed }: Sample): number {
  return completed + failed + canceled + crashed;
}

function remember<V>(map: Map<number, V>, key: number, value: V): void {
  map.set(key, value);
  if (map.size <= MAX_OPEN) return;
  const [oldest] = map.keys();
  map.delete(oldest!);
}

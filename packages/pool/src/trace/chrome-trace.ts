/**
 * A trace as text in the trace-event format of Chrome, which ui.perfetto.dev and chrome://tracing open. A track per thread; slices on a
 * track nest, since each is a call within another. An arrow binds to the slice in which it begins or ends: it has its time.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU "Trace Event Format"
 */
import { PRIORITIES } from "../shared/layout.ts";
import {
  DETAIL,
  detailOf,
  functionKey,
  functionOf,
  KIND,
  type Kind,
  kindOf,
  priorityOf,
  serialOf,
} from "../shared/trace/trace-code.ts";
import { OPEN_FIELDS, RECORD_FIELDS, type TraceSnapshot } from "../shared/trace/trace-log.ts";
import { JobJourneys, QUEUES } from "./job-journeys.ts";
import { process } from "../shared/intrinsics.ts";

/** One track. */
export interface TracedThread {
  /** Of `worker_threads`; 0 is the main thread. */
  readonly threadId: number;
  readonly name: string;
  readonly trace: TraceSnapshot;
  /** When it had ended, or the trace was taken. */
  readonly endedAt: number;
  readonly exit: ThreadExit | null;
}

export interface ThreadExit {
  readonly exitCode: number;
  /** It ended by itself, or was ended while it ran a job. */
  readonly crashed: boolean;
  /** The uncaught error, if there was one. */
  readonly reason: string | undefined;
}

export interface TraceInfo {
  readonly pool: string;
  readonly eventsPerThread: number;
  /** Of the jobs, one in so many is recorded at this moment. */
  readonly oneIn: number;
  /** Threads that ended long ago, and whose events were dropped. */
  readonly droppedThreads: number;
  /** Lines of JSON: key and name of a function. */
  readonly names: readonly string[];
}

/** The host comes first. */
export function* chromeTrace(threads: readonly TracedThread[], info: TraceInfo): Generator<string> {
  const writer = new EventWriter(threads, info);
  yield `{"displayTimeUnit":"ms","otherData":${JSON.stringify(describe(threads, info))},"traceEvents":[\n`;
  yield* writer.events();
  yield "\n]}\n";
}

function describe(threads: readonly TracedThread[], info: TraceInfo): Record<string, string | number> {
  const dropped = threads.filter(({ trace }) => trace.dropped > 0);
  return {
    pool: info.pool,
    node: process.version,
    eventsPerThread: info.eventsPerThread,
    recordedJobs: info.oneIn === 1 ? "all" : `lately one in ${info.oneIn}`,
    droppedEvents:
      dropped.length === 0
        ? "none"
        : `the oldest ones: ${dropped.map(({ name, trace }) => `${name}: ${trace.dropped}`).join(", ")}`,
    droppedThreads: info.droppedThreads,
  };
}

/** Of slices and moments; those of a job end with its function's name. */
const TITLES: Readonly<Record<Kind, string>> = {
  [KIND.start]: "thread start",
  [KIND.submit]: "submit ",
  [KIND.settle]: "settle ",
  [KIND.run]: "",
  [KIND.resume]: "",
  [KIND.finish]: "finish ",
  [KIND.parked]: "parked",
  [KIND.joining]: "waits in join",
  [KIND.steal]: "steal",
  [KIND.cancel]: "cancel",
};

class EventWriter {
  readonly #threads: readonly TracedThread[];
  readonly #tracks: readonly Float64Array[];
  readonly #journeys = new JobJourneys();
  readonly #names = new Map<number, string>();
  readonly #pool: string;
  #separator = "";

  constructor(threads: readonly TracedThread[], { pool, names }: TraceInfo) {
    this.#threads = threads;
    this.#pool = pool;
    for (const line of names) {
      const [fn, name] = JSON.parse(line) as [number, string];
      this.#names.set(fn, name);
    }
    this.#tracks = threads.map((thread) => closeAll(thread));
    for (const records of this.#tracks) this.#journeys.add(records);
  }

  *events(): Generator<string> {
    yield this.#metadata("process_name", 0, { name: `skein pool ${this.#pool}` });
    for (const [i, { threadId, name }] of this.#threads.entries()) {
      yield this.#metadata("thread_name", threadId, { name });
      yield this.#metadata("thread_sort_index", threadId, { sort_index: i });
    }
    for (const [i, thread] of this.#threads.entries()) yield* this.#track(thread, this.#tracks[i]!);
    const host = this.#threads[0]!.threadId;
    for (const { at, depths } of this.#journeys.queueDepths()) {
      const args = Object.fromEntries(QUEUES.map((queue, q) => [queue, depths[q]!]));
      yield this.#event("C", host, "queued jobs", at, `,"args":${JSON.stringify(args)}`);
    }
  }

  *#track(thread: TracedThread, records: Float64Array): Generator<string> {
    const { threadId, trace, exit, endedAt } = thread;
    const finishedAt = new Map<number, number>();
    for (let at = 0; at < records.length; at += RECORD_FIELDS) {
      if (kindOf(records[at + 3]!) === KIND.finish) finishedAt.set(records[at + 2]!, records[at + 1]!);
    }
    const order = inOrder(records);
    if (trace.dropped > 0 && order.length > 0) {
      const first = records[order[0]! * RECORD_FIELDS]!;
      yield this.#moment(threadId, "older events were dropped", first, { events: trace.dropped });
    }
    for (const index of order)
      yield this.#record(threadId, records, index * RECORD_FIELDS, finishedAt, endedAt);
    if (exit !== null) {
      const { exitCode, crashed, reason } = exit;
      yield this.#moment(threadId, crashed ? "thread crash" : "thread exit", endedAt, { exitCode, reason });
    }
  }

  #record(
    tid: number,
    records: Float64Array,
    at: number,
    finishedAt: ReadonlyMap<number, number>,
    endedAt: number,
  ): string {
    const start = records[at]!;
    const end = records[at + 1]!;
    const key = records[at + 2]!;
    const code = records[at + 3]!;
    const fn = functionOf(code);
    const name = this.#names.get(functionKey(serialOf(key), fn)) ?? `function ${fn}`;
    const kind = kindOf(code);
    const title = TITLES[kind];
    if (key === 0) return this.#slice(tid, title, start, end, {});
    const job = jobId(key);
    if (kind === KIND.steal || kind === KIND.cancel)
      return this.#moment(tid, title, start, { job, function: name });
    const args = { job, ...argumentsOf(kind, records.subarray(at, at + RECORD_FIELDS)) };
    const slice = this.#slice(tid, title + name, start, end, args) + this.#arrow(tid, key, start);
    if (kind !== KIND.run || detailOf(code) !== "awaiting") return slice;
    return (
      slice + this.#asynchronous(tid, name, key, start, finishedAt.get(key) ?? this.#settledAt(key, endedAt))
    );
  }

  #slice(tid: number, name: string, start: number, end: number, args: object): string {
    const duration = (rounded(end) - rounded(start)) / 1000;
    return this.#event("X", tid, name, start, `,"dur":${duration},"args":${JSON.stringify(args)}`);
  }

  #moment(tid: number, name: string, at: number, args: object): string {
    return this.#event("i", tid, name, at, `,"s":"t","args":${JSON.stringify(args)}`);
  }

  /** From the start of a job to its outcome, beside the track of the thread. */
  #asynchronous(tid: number, name: string, key: number, start: number, end: number): string {
    const rest = `,"cat":"job","id":"${jobId(key)}"`;
    return this.#event("b", tid, name, start, rest) + this.#event("e", tid, name, end, rest);
  }

  /** Of a job that writes no outcome, because its own thread waits for it; or whose thread died. */
  #settledAt(key: number, endedAt: number): number {
    return Math.min(this.#journeys.get(key)?.settledAt ?? endedAt, endedAt);
  }

  /** Of a job at this moment: begins with its submission, ends with its settlement. Nothing if either is not in the trace. */
  #arrow(tid: number, key: number, at: number): string {
    const { submittedAt, settledAt } = this.#journeys.get(key) ?? {};
    if (submittedAt === undefined || settledAt === undefined || at > settledAt) return "";
    const phase = at === submittedAt ? "s" : at === settledAt ? "f" : "t";
    const rest = `,"cat":"job","id":"${jobId(key)}"${phase === "f" ? ',"bp":"e"' : ""}`;
    return this.#event(phase, tid, "job", at, rest);
  }

  #metadata(name: string, tid: number, args: object): string {
    return this.#event("M", tid, name, 0, `,"args":${JSON.stringify(args)}`);
  }

  #event(phase: string, tid: number, name: string, at: number, rest: string): string {
    const separator = this.#separator;
    this.#separator = ",\n";
    const time = rounded(at) / 1000;
    return `${separator}{"ph":"${phase}","pid":${process.pid},"tid":${tid},"ts":${time},"name":${JSON.stringify(name)}${rest}}`;
  }
}

/** The records of a thread, and those of the slices that were open when it ended. */
function closeAll({ trace: { records, open }, endedAt, exit }: TracedThread): Float64Array {
  const all = new Float64Array(records.length + (open.length / OPEN_FIELDS) * RECORD_FIELDS);
  all.set(records);
  const detail = exit?.crashed === true ? DETAIL.crashed : DETAIL.unfinished;
  for (let from = 0, at = records.length; from < open.length; from += OPEN_FIELDS, at += RECORD_FIELDS) {
    all.set([open[from]!, endedAt, open[from + 1]!, open[from + 2]! + detail, open[from + 3]!], at);
  }
  return all;
}

function argumentsOf(kind: Kind, record: Float64Array): object {
  const [start, , key, code, value] = record as unknown as [number, number, number, number, number];
  const outcome = detailOf(code);
  const priority = PRIORITIES[priorityOf(key)];
  if (kind === KIND.submit) return { priority, by: value === 0 ? undefined : jobId(value) };
  if (kind === KIND.run) return { priority, waitUs: (rounded(start) - rounded(value)) / 1000, outcome };
  return { outcome };
}

/** The indices of the records by start; of two that start together the outer one comes first. */
function inOrder(records: Float64Array): Uint32Array {
  const indices = Uint32Array.from({ length: records.length / RECORD_FIELDS }, (_, i) => i);
  return indices.toSorted((a, b) => {
    const first = a * RECORD_FIELDS;
    const second = b * RECORD_FIELDS;
    return records[first]! - records[second]! || records[second + 1]! - records[first + 1]!;
  });
}

/** In nanoseconds. Rounding keeps what nests nested. */
function rounded(us: number): number {
  return Math.round(us * 1000);
}

/** Submitter and number. */
function jobId(key: number): string {
  return `${serialOf(key)}-${Math.floor(key / 4) % 2 ** 31}`;
}

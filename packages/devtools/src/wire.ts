/**
 * What the server tells its viewers, as server-sent events: `hello` first, then `batch` ten times a second while something happens,
 * `sample` twice a second, `closed` at the end of the pool. Arguments and results are in none of them.
 *
 * The data of an event are a line of JSON. Those of a batch have a second line: the slices of all its threads, one after the other, as
 * float64 numbers in base64; the JSON says how many numbers each thread has. As JSON they would cost the program about three times as much.
 */

/** Raised whenever a reader of the version before would misread. */
export const FEED_VERSION = 3;

export const KINDS = [
  "start",
  "submit",
  "settle",
  "run",
  "resume",
  "finish",
  "parked",
  "joining",
  "steal",
  "cancel",
] as const;
export type SliceKind = (typeof KINDS)[number];

export const OUTCOMES = ["completed", "failed", "canceled", "crashed", "awaiting", "unfinished"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const POLICIES = ["default", "inline", "yield", "asynchronous", "scheduler"] as const;
export type Policy = (typeof POLICIES)[number];

export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/**
 * Of a pool; `local`: of jobs that jobs submit, with the thread that has submitted them; `placed`: of jobs with `affinity` or `thread`, which
 * are in none of the others.
 */
export const QUEUES = ["high", "normal", "low", "local", "placed"] as const;
/** How many jobs wait, as QUEUES. */
export type Queued = readonly [high: number, normal: number, low: number, local: number, placed: number];
export const NONE_QUEUED: Queued = [0, 0, 0, 0, 0];

/** The local that is shown as the correlation id. */
export const CORRELATION = "correlationId";

/** Numbers of a slice: its code (kind, priority, and what its kind adds), start, end or -1, job, function, and what it refers to. */
export const SLICE_FIELDS = 6;

/** As `sliceAt` reads it. Times are microseconds since the pool began to be recorded. */
export interface Slice {
  readonly kind: SliceKind;
  readonly start: number;
  /** -1: it goes on. */
  readonly end: number;
  /** 0: none, or one that was submitted before there were viewers. */
  readonly job: number;
  readonly fn: number;
  readonly priority: Priority;
  /** Of `submit`. */
  readonly policy: Policy | null;
  readonly outcome: Outcome | null;
  /** Of `submit`: whose code has submitted it, or 0. Of `run` and `resume`: when it was submitted, or 0. */
  readonly ref: number;
}

export interface Hello {
  readonly type: "hello";
  readonly version: typeof FEED_VERSION;
  /** Another one: what was seen before is of another program, or there is a gap. */
  readonly session: string;
  readonly pool: { readonly id: number; readonly name: string };
  readonly program: { readonly pid: number; readonly node: string; readonly title: string };
  /** Of time 0, as `Date.now()` says it. */
  readonly epochMs: number;
  readonly nowUs: number;
  readonly controls: boolean;
  readonly functions: readonly (readonly [id: number, name: string])[];
}

/** One thread of a batch. */
export interface ThreadBatch {
  readonly threadId: number;
  /** Its place in the pool; -1: the thread that made the pool. */
  readonly index: number;
  /** So many slices were overwritten before they were read. */
  readonly dropped: number;
  /**
   * The longest that its event loop was late since the last batch, or is by now: what was less than 20 ms may have been left out. Null: not known,
   * as of the thread that made the pool.
   */
  readonly loopDelayUs: number | null;
  readonly exit: {
    readonly exitCode: number;
    readonly crashed: boolean;
    readonly reason?: string | undefined;
  } | null;
  /** SLICE_FIELDS numbers each: see `sliceAt`. */
  readonly slices: Float64Array;
}

export interface Batch {
  readonly type: "batch";
  readonly nowUs: number;
  /** One job in so many is told. */
  readonly oneIn: number;
  readonly queued: Queued;
  readonly threads: readonly ThreadBatch[];
  readonly functions: readonly (readonly [id: number, name: string])[];
  /** Allowed values of the contexts of jobs. */
  readonly contexts: readonly (readonly [job: number, values: Readonly<Record<string, string>>])[];
  /** For some: the name of the error, the frames of whoever submitted them. */
  readonly details: readonly (readonly [job: number, error: string | null, frames: string | null])[];
}

export interface ThreadSample {
  readonly threadId: number;
  readonly index: number;
  /** Bytes; null: Node does not tell, or the thread did not answer yet. */
  readonly heapUsed: number | null;
  readonly heapLimit: number | null;
  /** Of CPU time since the thread began; null as above. */
  readonly cpuMs: number | null;
  readonly busyMs: number;
  readonly parkedMs: number;
  readonly executed: number;
  readonly stolen: number;
}

export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Milliseconds and how often, ascending; counts never go back. */
  readonly histogram: readonly (readonly [ms: number, count: number])[];
}

export interface Sample {
  readonly type: "sample";
  readonly nowUs: number;
  readonly minThreads: number;
  readonly maxThreads: number;
  readonly running: number;
  readonly parked: number;
  readonly submitted: number;
  readonly completed: number;
  readonly failed: number;
  readonly canceled: number;
  readonly crashed: number;
  readonly stray: number;
  readonly stolen: number;
  readonly waitMs: Times;
  readonly runMs: Times;
  readonly threads: readonly ThreadSample[];
  readonly main: {
    readonly heapUsed: number;
    readonly rss: number;
    /** Of the event loop since the last sample. */
    readonly delayP50Ms: number;
    readonly delayMaxMs: number;
    /** How busy it was, 0 to 1. */
    readonly utilization: number;
  };
}

/** The pool has closed: nothing follows. */
export interface Closed {
  readonly type: "closed";
}

export type FeedMessage = Hello | Batch | Sample | Closed;

/** The first line of a batch. */
export interface BatchLine extends Omit<Batch, "threads"> {
  readonly threads: readonly (Omit<ThreadBatch, "slices"> & { readonly slices: number })[];
}

/** What went into the code of a slice. `info`: of a submission its policy, otherwise its outcome; -1: it has none. */
export function sliceCode(kind: number, priority: number, info: number): number {
  return (kind * 4 + priority) * 8 + info + 1;
}

export function sliceAt(slices: ArrayLike<number>, at: number): Slice {
  const code = slices[at]!;
  const kind = KINDS[code >> 5]!;
  const info = (code & 7) - 1;
  return {
    kind,
    start: slices[at + 1]!,
    end: slices[at + 2]!,
    job: slices[at + 3]!,
    fn: slices[at + 4]!,
    priority: PRIORITIES[(code >> 3) & 3]!,
    policy: kind === "submit" ? POLICIES[info]! : null,
    outcome: kind === "submit" || info < 0 ? null : OUTCOMES[info]!,
    ref: slices[at + 5]!,
  };
}

/** @param data Of an event, its lines joined by LF. */
export function parseMessage(data: string): FeedMessage {
  const [json, numbers = ""] = data.split("\n");
  const message = JSON.parse(json!) as Exclude<FeedMessage, Batch> | BatchLine;
  if (message.type !== "batch") return message;
  const all = new Float64Array(Uint8Array.from(atob(numbers), (byte) => byte.charCodeAt(0)).buffer);
  let from = 0;
  const threads = message.threads.map((thread): ThreadBatch => {
    const slices = all.subarray(from, (from += thread.slices));
    return { ...thread, slices };
  });
  return { ...message, threads };
}

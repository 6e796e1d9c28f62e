/**
 * What host and worker say to each other over the control port, besides shared memory. Nothing here is on the path of a job but for
 * carried values: a worker takes these messages in when it meets a number that it does not know, when it has nothing to do and the
 * mail word says that there are some (parking.ts), or when its event loop runs.
 */
import type { MessagePort } from "node:worker_threads";
import type { Carried } from "../codec/carried.ts";
import type { ErrorWire } from "../codec/error-wire.ts";
import type { ArenaMemory } from "../shared/arenas.ts";
import type { Layout } from "../shared/layout.ts";
import type { RecycleLimits } from "./recycle-limits.ts";
import type { TraceData } from "../shared/trace/thread-trace.ts";

/** Both ways: a user's SharedArrayBuffer that a payload names by number. */
export interface SharedBufferMessage {
  readonly type: "shared-buffer";
  readonly id: number;
  readonly buffer: SharedArrayBuffer;
}

/** A job of the host that goes to a thread past the queues: its slot is RUNNING already. */
export interface HandedJob {
  readonly slot: number;
  readonly carried: Carried;
}

/** Both ways: a port for moved memory (transfer/memory-lane.ts). */
export interface LaneMessage {
  readonly type: "lane";
  readonly port: MessagePort;
}

/** Both ways: it was collected on the thread that had numbered it. */
export interface SharedBufferGoneMessage {
  readonly type: "shared-buffer-gone";
  readonly id: number;
}

/** Both ways: from its owner, then to all. */
export interface ArenaGoneMessage {
  readonly type: "arena-gone";
  readonly id: number;
}

/**
 * Between the thread that runs a job and the one that has submitted it, by way of the host: what of an argument that comes piece by piece is not
 * in shared memory. `to` and `from` are serials, `number` is that of the stream on the thread that has submitted the job.
 */
export type ArgumentMessage =
  /** The job asks for the first item. `reader` is the number of its end. */
  | {
      readonly type: "argument-wanted";
      readonly to: number;
      readonly from: number;
      readonly number: number;
      readonly reader: number;
    }
  /** The answer: the block of the ring. None comes when the job is over. */
  | {
      readonly type: "argument-opened";
      readonly to: number;
      readonly reader: number;
      readonly arena: number;
      readonly block: number;
    }
  /** The job wants no more. */
  | { readonly type: "argument-left"; readonly to: number; readonly number: number }
  /** The job is over: what these items carry will not be read. */
  | { readonly type: "argument-dropped"; readonly to: number; readonly carried: readonly number[] };

/** What a job has reported. */
export interface ProgressMessage {
  readonly type: "progress";
  /** Of the listener. */
  readonly id: number;
  readonly value: unknown;
  /** Not 0: the value is an object, and came before as a carried one with this number. If it is not there, it could not be read. */
  readonly carried: number;
}

export type HostMessage =
  | SharedBufferMessage
  | SharedBufferGoneMessage
  /** Of another thread, which does not have it yet. */
  | { readonly type: "arena"; readonly arena: ArenaMemory }
  /** Of this thread, which has asked for it; all others have it in their ports. */
  | { readonly type: "arena-granted"; readonly arena: ArenaMemory }
  /** Nothing in it is in use: to be answered with "arena-dropped". */
  | ArenaGoneMessage
  /** A thread has ended: jobs of the receiver that it had taken reject with `error`. */
  | { readonly type: "thread-ended"; readonly serial: number; readonly error: ErrorWire }
  /** A thread was told to end and has not: jobs of the receiver that it has are given up, and it may still touch their slots. */
  | { readonly type: "thread-lost"; readonly serial: number; readonly error: ErrorWire }
  /** Jobs of a dead thread that this one has finished may not be linked yet: to be answered with "links-told", when they are. */
  | { readonly type: "links-wanted"; readonly id: number }
  /** The pool closes without waiting: what jobs have submitted and nobody has taken fails, what runs of it is asked to stop. */
  | { readonly type: "drop" }
  /** A job for this thread alone, in this slot, which is RUNNING already. */
  | { readonly type: "run"; readonly slot: number }
  /** Jobs with their carried values, in their order. */
  | { readonly type: "handed"; readonly jobs: readonly HandedJob[] }
  | LaneMessage
  /** The same: what they carry is in the lane. */
  | { readonly type: "handed-memory"; readonly slots: readonly number[] }
  /** Of a job that this thread has claimed, or has submitted. */
  | ({ readonly type: "carried" } & Carried)
  /** What was wanted is not there any more: the job is over for whoever submitted it. */
  | { readonly type: "carried-gone"; readonly id: number }
  /** Of a job that this thread submitted. */
  | ProgressMessage
  /** The answer to "reports-wanted": they have come before this. */
  | { readonly type: "reports-told"; readonly id: number }
  /** A thread has begun a job that this thread submitted with a `runTimeoutMs`. */
  | { readonly type: "began"; readonly id: number }
  | ArgumentMessage
  /** The flag in the slot was set: for jobs that wait for their signal in the event loop. */
  | { readonly type: "cancel"; readonly slot: number }
  /** Take no more jobs, finish what you have, then end: there are more threads than needed, or than allowed. */
  | { readonly type: "leave" }
  /** The answer to "retire": not yet. Take jobs again until "leave" comes. */
  | { readonly type: "stay" }
  /** The answer to "recycle" when there is no successor: ask again later. The other answer is "leave". */
  | { readonly type: "kept" }
  /** Whoever records the pool wants a job canceled that this thread has submitted: its key in the trace. To be answered. */
  | {
      readonly type: "cancel-recorded";
      readonly id: number;
      readonly key: number;
      readonly reason: ErrorWire;
    }
  /** Traces this thread from now on, or not any more; the same buffer as before: only the notes are other ones. */
  | { readonly type: "trace"; readonly data: TraceData | null }
  /** No job will come any more: call `dispose`, and leave through `process.exit`, so that exit handlers run and output is flushed. */
  | { readonly type: "close" };

export type WorkerMessage =
  | SharedBufferMessage
  | SharedBufferGoneMessage
  | ArenaGoneMessage
  /** As MemorySource.request. */
  | { readonly type: "arena-wanted"; readonly blockBytes: number }
  /** This thread has dropped one that was gone. */
  | { readonly type: "arena-dropped" }
  /** The thread has started, and looks for its first job. `failure`: of the first of its `modules` that did not load. */
  | { readonly type: "ready"; readonly failure: ErrorWire | null }
  /** For the submitter of the job: 0 the host, w + 1 thread w. */
  | (ProgressMessage & { readonly submitter: number })
  /** A job that this thread has submitted is over, and has reported something: asks for an answer when all of that was passed on. */
  | { readonly type: "reports-wanted"; readonly id: number }
  /** This thread begins a job with a `runTimeoutMs`: as "progress". */
  | { readonly type: "began"; readonly submitter: number; readonly id: number }
  /** The carried values of a result, for the submitter with the serial `to`; posted before the slot is linked into its inbox. */
  | ({ readonly type: "carried"; readonly to: number } & Carried)
  | LaneMessage
  /** The carried arguments of a job that this thread submits, for whoever will run it; posted before the job is queued. */
  | ({ readonly type: "hold" } & Carried)
  /** This thread has claimed the job with these arguments. */
  | { readonly type: "carried-wanted"; readonly id: number }
  /** Jobs that were handed to this thread, which has not begun them: it is at one that waits for something. */
  | { readonly type: "returned"; readonly jobs: readonly HandedJob[] }
  /** The job with these arguments is over. */
  | { readonly type: "carried-gone"; readonly id: number }
  /** The host's bell was asleep, and a result is in its inbox. */
  | { readonly type: "bell" }
  | ArgumentMessage
  /** The flag in a slot was set, and another thread runs the job: to be passed on. */
  | { readonly type: "cancel"; readonly serial: number; readonly slot: number }
  /** What this thread has finished is linked into the inbox of its submitter. */
  | { readonly type: "links-told"; readonly id: number }
  /** The answer to "cancel-recorded": whether there was such a job without an outcome. */
  | { readonly type: "cancel-answered"; readonly id: number; readonly isCanceled: boolean }
  /** A job that was asked to stop has not: the thread that runs it is to be ended. */
  | { readonly type: "terminate"; readonly serial: number }
  /** Jobs wait, no thread is free, and one more may be started. */
  | { readonly type: "threads-wanted" }
  /** This thread cannot load the module at `url` any more (worker/module-table.ts): takes no job until the answer, "leave" or "stay". */
  | { readonly type: "retire"; readonly url: string }
  /** This thread has reached a limit of those in ThreadData: to be answered with "leave" or "kept". At that of jobs it takes none until then. */
  | { readonly type: "recycle" }
  /** Before `dispose` of the initialize module is called: the thread ends by itself when that has settled. */
  | { readonly type: "disposing" }
  /** The thread has had nothing to do for `idleTimeoutMs`. */
  | { readonly type: "idle" };

/**
 * Messages that only add to what a thread knows. They may be taken in at any moment, in the middle of settling jobs too; all others
 * make something happen, and wait for the event loop.
 */
export function isKnowledge({ type }: HostMessage | WorkerMessage): boolean {
  return knowledge.has(type);
}

const knowledge: ReadonlySet<string> = new Set<(HostMessage | WorkerMessage)["type"]>([
  "arena",
  "arena-granted",
  "arena-gone",
  "shared-buffer",
  "shared-buffer-gone",
  "progress",
  "began",
  "run",
  "handed",
  "handed-memory",
  "lane",
  "returned",
  "carried",
  "carried-gone",
  "hold",
]);

/** The first message to a pool thread, by way of the `parentPort` of its `Worker`: see worker/thread-data.ts. */
export interface ThreadData {
  readonly type: "skein:thread";
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly layout: Layout;
  /** Index of the thread: its parking word, its deque, its slots. Re-used after a thread has died. */
  readonly index: number;
  /** Never re-used within a pool. */
  readonly serial: number;
  readonly port: MessagePort;
  /** Of all threads and the host, its own included; emptied when the thread has taken them. */
  readonly arenas: ArenaMemory[];
  readonly spinLimitUs: number;
  /** How many jobs that await the thread takes at once. */
  readonly jobsPerThread: number;
  /** See "idle". Infinity: never. */
  readonly idleTimeoutMs: number;
  readonly initialize: string | null;
  /** Job modules that the thread loads before it is ready. */
  readonly modules: readonly string[];
  readonly trace: TraceData | null;
  /** Null: the thread is not replaced. */
  readonly recycle: RecycleLimits | null;
}

/**
 * The timeline of a pool, at the host: a log for each place of a thread and one for the host, in shared memory, so that what a thread
 * recorded outlives it. Logs of threads that have ended are kept as far as one log per place has room. Written when the pool
 * has closed, or when the process exits before; recordings read it meanwhile, or are all that it is for.
 */
import { isMainThread, threadId } from "node:worker_threads";
import type { Layout } from "../shared/layout.ts";
import { HOST, HOST_SERIAL } from "../shared/pool-memory.ts";
import { ThreadTrace, type TraceData } from "../shared/trace/thread-trace.ts";
import { KIND, kindOf } from "../shared/trace/trace-code.ts";
import {
  OPEN_FIELDS,
  readTrace,
  readTraceNames,
  RECORD_FIELDS,
  TraceMemory,
  type TraceSnapshot,
} from "../shared/trace/trace-log.ts";
import { createLoopDelayBuffer } from "../shared/trace/loop-delay.ts";
import { createNotesBuffer } from "../shared/trace/note-log.ts";
import { chromeTrace, type TracedThread } from "./chrome-trace.ts";
import type { Recording, Written } from "./recording.ts";
import { assertWritable, writeTraceFile } from "./trace-file.ts";
import { process } from "../shared/intrinsics.ts";

export interface ResolvedTraceOptions {
  /** An absolute path. Null: it is never written, only recorded. */
  readonly file: string | null;
  /** A power of two. */
  readonly eventsPerThread: number;
}

/** A thread whose log is being written. */
interface LiveThread {
  readonly threadId: number;
  readonly name: string;
}

let lastId = 0;

/** Of all pools in this thread: one listener, however many there are. */
const unwritten = new Set<PoolTrace>();

export class PoolTrace {
  /** Of the host. */
  readonly own: ThreadTrace;
  readonly #id = ++lastId;
  readonly #file: string | null;
  readonly #pool: string;
  readonly #capacity: number;
  /** By submitter; made when its place is used first. */
  readonly #logs: TraceMemory[] = [];
  readonly #live: (LiveThread | null)[] = [];
  readonly #recordings = new Set<Recording>();
  /** By submitter; as long as somebody records. */
  readonly #notes: (SharedArrayBuffer | null)[] = [];
  /** As the notes; the host has none. */
  readonly #loopDelays: (SharedArrayBuffer | null)[] = [];
  readonly #jobs: Float64Array;
  /** One job in so many is recorded, a power of two: enough for each recording; all of them for a file. */
  readonly #oneIn = new Int32Array(new SharedArrayBuffer(4)).fill(1);
  readonly #originNs = process.hrtime.bigint();
  /** In the order in which they ended. */
  readonly #ended: TracedThread[] = [];
  #endedRecords = 0;
  #droppedThreads = 0;

  /** @throws SkeinError when the file cannot be written. */
  constructor({ file, eventsPerThread }: ResolvedTraceOptions, pool: string, layout: Layout) {
    if (file !== null) assertWritable(file);
    this.#file = file;
    this.#pool = pool;
    this.#capacity = eventsPerThread;
    this.#jobs = new Float64Array(new SharedArrayBuffer(layout.totalSlots * 2 * 8));
    this.#live[HOST] = { threadId, name: isMainThread ? "main thread (host)" : `thread ${threadId} (host)` };
    this.own = new ThreadTrace(this.#data(HOST, -1), HOST_SERIAL);
    if (file === null) return;
    if (unwritten.size === 0) process.on("exit", writeAllAtExit);
    unwritten.add(this);
  }

  /** Whether it is for recordings alone, and there is none any more. */
  get isOver(): boolean {
    return this.#file === null && this.#recordings.size === 0;
  }

  /** @param present The threads that there are, by place. */
  record(
    recording: Recording,
    present: readonly { readonly index: number; readonly threadId: number }[],
  ): void {
    this.#recordings.add(recording);
    this.adjust();
    for (const { index, threadId: id } of present) {
      this.#logs[index + 1] ??= new TraceMemory(this.#capacity);
      this.#live[index + 1] ??= liveThread(id);
    }
    for (const [submitter, live] of this.#live.entries())
      if (live !== null && live !== undefined)
        recording.begin(submitter, live.threadId, this.#writtenBy(submitter), false);
  }

  unrecord(recording: Recording): void {
    this.#recordings.delete(recording);
    recording.stop();
    this.adjust();
    if (this.#recordings.size > 0) return;
    this.#notes.length = 0;
    this.#loopDelays.length = 0;
  }

  /** A recording wants more jobs than before, or fewer. */
  adjust(): void {
    let wanted = this.#file === null ? 0 : 1;
    for (const { oneIn } of this.#recordings) wanted |= oneIn;
    // Its lowest bit: the largest power of two that divides what each of them wants. Plain: who sees it late records more or less for a moment.
    this.#oneIn[0] = wanted & -wanted || 1;
  }

  /** What the thread in place `index`, which is there already, needs to follow the trace as it is now; the host: HOST - 1. */
  dataFor(index: number): TraceData {
    return this.#data(index + 1, -1);
  }

  /** The timeline so far, as text in the trace-event format. */
  *timeline(): Generator<string> {
    yield* this.#text();
  }

  /** A thread is about to start in place `index`. */
  prepareThread(index: number): TraceData {
    this.#logs[index + 1]?.clear();
    this.#notes[index + 1] = null;
    this.#loopDelays[index + 1] = null;
    return this.#data(index + 1, this.own.now());
  }

  threadStarted(index: number, id: number): void {
    this.#live[index + 1] = liveThread(id);
    for (const recording of this.#recordings)
      recording.begin(index + 1, id, this.#writtenBy(index + 1), true);
  }

  /** @param isExpected The pool closes, and ends its threads. */
  threadEnded(index: number, exitCode: number, cause: unknown, isExpected: boolean): void {
    const last = this.#take(index + 1);
    if (last === null) return;
    const crashed = !isExpected && (exitCode !== 0 || hasOpenRun(last.trace));
    const reason =
      cause === undefined
        ? undefined
        : process.getBuiltinModule("node:util").inspect(cause, { depth: 0 }).split("\n", 1)[0];
    const exit = { exitCode, crashed, reason };
    const ended = { ...last, exit };
    for (const recording of this.#recordings) recording.end(index + 1, exit);
    this.#live[index + 1] = null;
    this.#ended.push(ended);
    this.#endedRecords += ended.trace.records.length;
    const room = this.#capacity * this.#logs.length * RECORD_FIELDS;
    while (this.#endedRecords > room) {
      this.#endedRecords -= this.#ended.shift()!.trace.records.length;
      this.#droppedThreads++;
    }
  }

  /**
   * Once; synchronous, at about a microsecond per event.
   * @throws SkeinError ERR_SKEIN_TRACE_FILE.
   */
  write(): void {
    if (this.#file === null || !unwritten.delete(this)) return;
    if (unwritten.size === 0) process.off("exit", writeAllAtExit);
    writeTraceFile(this.#file, this.#text());
  }

  #text(): Generator<string> {
    const live = this.#live.map((_, submitter) => this.#take(submitter)).filter((thread) => thread !== null);
    const [host, ...others] = live;
    const threads = [host!, ...[...this.#ended, ...others].toSorted((a, b) => a.threadId - b.threadId)];
    return chromeTrace(threads, {
      pool: this.#pool,
      eventsPerThread: this.#capacity,
      oneIn: this.#oneIn[0]!,
      droppedThreads: this.#droppedThreads,
      names: this.#logs.flatMap((log) => readTraceNames(log)),
    });
  }

  /** Null when there is no thread in that place. */
  #take(submitter: number): TracedThread | null {
    const live = this.#live[submitter];
    const log = this.#logs[submitter];
    if (live === undefined || live === null || log === undefined) return null;
    const trace = readTrace(log);
    return { ...live, trace, endedAt: this.own.now(), exit: null };
  }

  #data(submitter: number, startedAt: number): TraceData {
    const log = (this.#logs[submitter] ??= new TraceMemory(this.#capacity));
    return {
      id: this.#id,
      buffer: log.buffer,
      capacity: this.#capacity,
      jobs: this.#jobs,
      oneIn: this.#oneIn,
      originNs: this.#originNs,
      startedAt,
      notes:
        this.#recordings.size === 0
          ? null
          : {
              buffer: this.#notesOf(submitter),
              locals: [...new Set(Array.from(this.#recordings, ({ locals }) => locals).flat())],
            },
      loopDelay: this.#recordings.size === 0 ? null : this.#loopDelayOf(submitter),
    };
  }

  #writtenBy(submitter: number): Written {
    return {
      memory: this.#logs[submitter]!,
      notes: this.#notesOf(submitter),
      loopDelay: this.#loopDelayOf(submitter),
    };
  }

  #notesOf(submitter: number): SharedArrayBuffer {
    return (this.#notes[submitter] ??= createNotesBuffer());
  }

  #loopDelayOf(submitter: number): SharedArrayBuffer | null {
    return submitter === HOST ? null : (this.#loopDelays[submitter] ??= createLoopDelayBuffer());
  }
}

function liveThread(threadId: number): LiveThread {
  return { threadId, name: `pool thread ${threadId}` };
}

function hasOpenRun({ open }: TraceSnapshot): boolean {
  for (let at = 0; at < open.length; at += OPEN_FIELDS) {
    if (kindOf(open[at + 2]!) === KIND.run) return true;
  }
  return false;
}

/** The process ends while pools are open: nobody is left to be told of a failure but whoever reads stderr. */
function writeAllAtExit(): void {
  for (const trace of unwritten) {
    try {
      trace.write();
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
    }
  }
}

/**
 * A recording: what the threads of a pool do, for somebody who reads it while they do it. It reads the logs of their traces (shared/trace),
 * each from where it has stopped; no thread is asked, and none waits for it. What nobody reads in time is overwritten.
 */
import type { JobNote } from "../submit/job-notes.ts";
import { LoopDelayReader } from "../shared/trace/loop-delay.ts";
import { NoteReader } from "../shared/trace/note-log.ts";
import { countOf, KIND, kindOf } from "../shared/trace/trace-code.ts";
import {
  OPEN_FIELDS,
  readTrace,
  readTraceNames,
  RECORD_FIELDS,
  type TraceMemory,
  traceNamesLength,
} from "../shared/trace/trace-log.ts";
import { type RecordedSlice, SliceCursor } from "./slice-cursor.ts";

/** The end of a thread. */
export interface RecordedExit {
  readonly exitCode: number;
  readonly crashed: boolean;
  readonly reason?: string | undefined;
}

/** A thread, or the one that made the pool. */
export class RecordedThread {
  /** As `threadId` of `node:worker_threads`. */
  readonly threadId: number;
  /** Its place in the pool, as ThreadHandle.index; -1: the thread that made the pool. */
  readonly index: number;
  /** How many of its slices have ended. */
  readonly ended: number;
  /** How many were overwritten before they were read. */
  readonly dropped: number;
  /**
   * The longest that its event loop was late since the last look, or in the last five seconds if that is longer ago, or is by now, in microseconds;
   * measured every 20 ms. Null: not yet, or it is the thread that made the pool.
   */
  readonly loopDelayUs: number | null;
  /** Null: it lives. This is the last that is heard of it. */
  readonly exit: RecordedExit | null;
  readonly #numbers: Float64Array;
  #slices: readonly RecordedSlice[] | null = null;

  /** @internal */
  constructor(
    { threadId, index }: Pick<RecordedThread, "threadId" | "index">,
    { numbers, ended, dropped, loopDelayUs }: Reading,
    exit: RecordedExit | null,
  ) {
    this.threadId = threadId;
    this.index = index;
    this.ended = ended;
    this.dropped = dropped;
    this.loopDelayUs = loopDelayUs;
    this.exit = exit;
    this.#numbers = numbers;
  }

  /** In the order in which they ended; those that go on follow, the outermost first. Made when it is asked for. */
  get slices(): readonly RecordedSlice[] {
    if (this.#slices !== null) return this.#slices;
    const slices: RecordedSlice[] = [];
    for (const cursor = this.cursor(); cursor.next();) slices.push(cursor.toSlice());
    return (this.#slices = slices);
  }

  /** How many slices there are. */
  get count(): number {
    return this.#numbers.length / RECORD_FIELDS;
  }

  /** The same slices, for whoever reads many of them: one object is each of them in turn. */
  cursor(): SliceCursor {
    return new SliceCursor(this.#numbers);
  }
}

/** As of `stats()`. */
export type Queued = Readonly<Record<"high" | "normal" | "low" | "local" | "placed", number>>;

/** What happened since the last look. */
export interface RecordedBatch {
  readonly nowUs: number;
  /** How many jobs wait now, as `stats()` says it, for less. */
  readonly queued: Queued;
  readonly threads: readonly RecordedThread[];
  /** Those that are new. */
  readonly functions: readonly { readonly id: number; readonly name: string }[];
  /** For jobs that were submitted: the allowed values of their context. */
  readonly contexts: readonly { readonly job: number; readonly values: Readonly<Record<string, string>> }[];
  /** For some of those that failed or took longer than a millisecond: the name of the error, and the frames of whoever submitted them. */
  readonly details: readonly {
    readonly job: number;
    readonly error: string | null;
    readonly frames: string | null;
  }[];
}

/** What a thread writes. */
export interface Written {
  readonly memory: TraceMemory;
  readonly notes: SharedArrayBuffer;
  readonly loopDelay: SharedArrayBuffer | null;
}

interface Track {
  readonly threadId: number;
  readonly index: number;
  readonly memory: TraceMemory;
  readonly notes: NoteReader;
  readonly loopDelay: LoopDelayReader | null;
  cursor: number;
}

/** Of a track that is read. */
interface Reading extends Pick<RecordedThread, "ended" | "dropped" | "loopDelayUs"> {
  /** As records of a log; those that go on end below 0. */
  readonly numbers: Float64Array;
  readonly lines: readonly string[];
}

export class Recording {
  readonly locals: readonly string[];
  /** Of the jobs, it wants to be told one in so many. */
  oneIn = 1;
  readonly #chosen: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #tracks = new Map<number, Track>();
  /** Threads that have ended since the last look. */
  #ended: RecordedThread[] = [];
  /** Their notes. */
  #endedLines: string[] = [];
  readonly #namesRead = new Map<TraceMemory, number>();
  readonly #functions = new Set<number>();

  /** @param now Of the trace, in microseconds. */
  constructor(locals: readonly string[], now: () => number) {
    this.locals = locals;
    this.#chosen = new Set(locals);
    this.#now = now;
  }

  /** A thread is in the place `submitter`. @param isNew Whether its log is read from the beginning. */
  begin(submitter: number, threadId: number, { memory, notes, loopDelay }: Written, isNew: boolean): void {
    const cursor = isNew ? 0 : readTrace(memory).cursor;
    this.#tracks.set(submitter, {
      threadId,
      index: submitter - 1,
      memory,
      notes: new NoteReader(notes),
      loopDelay: loopDelay === null ? null : new LoopDelayReader(loopDelay),
      cursor,
    });
  }

  /** It has ended; its log may be another's from now on. */
  end(submitter: number, exit: RecordedExit): void {
    const track = this.#tracks.get(submitter);
    if (track === undefined) return;
    this.#tracks.delete(submitter);
    const reading = this.#read(track, this.oneIn);
    this.#ended.push(new RecordedThread(track, reading, exit));
    this.#endedLines.push(...reading.lines);
  }

  /** Nothing is told any more: threads that have yet to hear of it write on for a moment. */
  stop(): void {
    this.#tracks.clear();
    this.#ended = [];
    this.#endedLines = [];
  }

  /** What happened since the last look: of the jobs, one in `oneIn`, the same in all threads. */
  read(): Omit<RecordedBatch, "queued"> {
    const { oneIn } = this;
    const [threads, lines] = [this.#ended, this.#endedLines];
    this.#ended = [];
    this.#endedLines = [];
    for (const track of this.#tracks.values()) {
      const reading = this.#read(track, oneIn);
      threads.push(new RecordedThread(track, reading, null));
      lines.push(...reading.lines);
    }
    const notes = lines.map((line) => JSON.parse(line) as JobNote).filter(([, job]) => isChosen(job, oneIn));
    return {
      nowUs: this.#now(),
      threads,
      functions: this.#newFunctions(),
      contexts: notes
        .flatMap((note) => (note[0] === "context" ? [{ job: note[1], values: this.#allowed(note[2]) }] : []))
        .filter(({ values }) => Object.keys(values).length > 0),
      details: notes.flatMap((note) =>
        note[0] === "ended" ? [{ job: note[1], error: note[2], frames: note[3] }] : [],
      ),
    };
  }

  #read(track: Track, oneIn: number): Reading {
    const { records, open, dropped, cursor } = readTrace(track.memory, 0, track.cursor);
    track.cursor = cursor;
    const numbers = new Float64Array(records.length + (open.length / OPEN_FIELDS) * RECORD_FIELDS);
    let to = 0;
    for (let at = 0; at < records.length; at += RECORD_FIELDS) {
      if (!isTold(records[at + 2]!, records[at + 3]!, oneIn)) continue;
      for (let field = 0; field < RECORD_FIELDS; field++) numbers[to + field] = records[at + field]!;
      to += RECORD_FIELDS;
    }
    const ended = to / RECORD_FIELDS;
    for (let at = 0; at < open.length; at += OPEN_FIELDS) {
      numbers[to] = open[at]!;
      numbers[to + 1] = -1;
      for (let field = 1; field < OPEN_FIELDS; field++) numbers[to + field + 1] = open[at + field]!;
      to += RECORD_FIELDS;
    }
    const loopDelayUs = track.loopDelay === null ? null : track.loopDelay.read(this.#now());
    return { numbers: numbers.subarray(0, to), ended, dropped, loopDelayUs, lines: track.notes.read() };
  }

  /** Another reading of the same pool may be allowed more. */
  #allowed(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(values).filter(([name]) => this.#chosen.has(name)));
  }

  #newFunctions(): RecordedBatch["functions"] {
    const found: { id: number; name: string }[] = [];
    for (const { memory } of this.#tracks.values()) {
      const length = traceNamesLength(memory);
      if (this.#namesRead.get(memory) === length) continue;
      this.#namesRead.set(memory, length);
      for (const line of readTraceNames(memory)) {
        const [id, name] = JSON.parse(line) as [number, string];
        if (this.#functions.has(id)) continue;
        this.#functions.add(id);
        found.push({ id, name });
      }
    }
    return found;
  }
}

/** Whether a slice is. Threads rest between jobs that are not told, too: where, somebody else may want recorded. */
function isTold(key: number, code: number, oneIn: number): boolean {
  if (oneIn === 1) return true;
  if (key !== 0) return isChosen(key, oneIn);
  const kind = kindOf(code);
  return kind !== KIND.parked && kind !== KIND.joining;
}

/** By the number of the job: all that is told of one is told, or nothing. */
function isChosen(key: number, oneIn: number): boolean {
  return countOf(key) % oneIn === 0;
}

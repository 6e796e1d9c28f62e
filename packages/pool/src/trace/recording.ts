/**
 * A recording: what the threads of a pool do, for somebody who reads it while they do it. It reads the logs of their traces (shared/trace),
 * each from where it has stopped; no thread is asked, and none waits for it. What nobody reads in time is overwritten.
 */
import type { JobNote } from "../submit/job-notes.ts";
import { NoteReader } from "../shared/trace/note-log.ts";
import {
  detailOf,
  type Detail,
  functionKey,
  functionOf,
  KIND,
  type Kind,
  kindOf,
  type Policy,
  policyOf,
  priorityOf,
  serialOf,
} from "../shared/trace/trace-code.ts";
import {
  OPEN_FIELDS,
  readTrace,
  readTraceNames,
  RECORD_FIELDS,
  type TraceMemory,
  traceNamesLength,
} from "../shared/trace/trace-log.ts";
import { PRIORITIES } from "../shared/layout.ts";

/** What a thread did, from start to end; moments have the same start and end. */
export interface RecordedSlice {
  /**
   * `start`: the thread starts. `submit`: a call submits a job. `settle`: the job's task settles, inline continuations run. `run`: the function of
   * a job, until it returns. `resume`: the same, after its module or its arguments had to be waited for. `finish`: the outcome of a job
   * that awaited something is written. `parked`: the thread has nothing to do. `joining`: it waits in `join`. `steal`, `cancel`: moments.
   */
  readonly kind: keyof typeof KIND;
  /** Microseconds since the pool began to be recorded, on one clock for all threads. */
  readonly startUs: number;
  /** Null: it goes on. */
  readonly endUs: number | null;
  /** Tells jobs apart. 0: it is about no job, or about one that was submitted before. */
  readonly job: number;
  /** Of the job's function: see `functions`. */
  readonly fn: number;
  readonly priority: (typeof PRIORITIES)[number];
  /** Of `submit`: the job whose code has submitted this one; 0: none, or it is not known. */
  readonly parent: number;
  /** Of `submit`: where what awaits the job goes on. `default`: as the task says when it is awaited. */
  readonly policy: Policy | null;
  /** Of `run` and `resume`: when the job was submitted; 0: not known. */
  readonly submittedUs: number;
  /** Of `run`, `resume`, `finish` and `settle` that have ended. */
  readonly outcome: Detail | null;
}

/** A thread, or the one that made the pool. */
export interface RecordedThread {
  /** As `threadId` of `node:worker_threads`. */
  readonly threadId: number;
  /** Its place in the pool, as ThreadHandle.index; -1: the thread that made the pool. */
  readonly index: number;
  /** In the order in which they ended; those that go on follow, the outermost first. */
  readonly slices: readonly RecordedSlice[];
  /** How many were overwritten before they were read. */
  readonly dropped: number;
  /** Null: it lives. This is the last that is heard of it. */
  readonly exit: {
    readonly exitCode: number;
    readonly crashed: boolean;
    readonly reason?: string | undefined;
  } | null;
}

/** What happened since the last look. */
export interface RecordedBatch {
  readonly nowUs: number;
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

interface Track {
  readonly threadId: number;
  readonly index: number;
  readonly memory: TraceMemory;
  readonly notes: NoteReader;
  cursor: number;
}

/** Of a track that is read. */
interface Reading extends Pick<RecordedThread, "slices" | "dropped"> {
  readonly lines: readonly string[];
}

const KIND_NAMES: Readonly<Record<Kind, keyof typeof KIND>> = Object.fromEntries(
  Object.entries(KIND).map(([name, kind]) => [kind, name]),
) as Record<Kind, keyof typeof KIND>;

const JOB_STEP = 4;
const JOB_NUMBERS = 2 ** 31;

export class Recording {
  readonly locals: readonly string[];
  /** Of the jobs, it wants to be told one in so many. */
  oneIn = 1;
  readonly #chosen: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #tracks = new Map<number, Track>();
  /** Threads that have ended since the last look. */
  #ended: (RecordedThread & { readonly lines: readonly string[] })[] = [];
  readonly #namesRead = new Map<TraceMemory, number>();
  readonly #functions = new Set<number>();

  /** @param now Of the trace, in microseconds. */
  constructor(locals: readonly string[], now: () => number) {
    this.locals = locals;
    this.#chosen = new Set(locals);
    this.#now = now;
  }

  /** A thread is in the place `submitter`. @param isNew Whether its log is read from the beginning. */
  begin(
    submitter: number,
    threadId: number,
    memory: TraceMemory,
    notes: SharedArrayBuffer,
    isNew: boolean,
  ): void {
    const cursor = isNew ? 0 : readTrace(memory).cursor;
    this.#tracks.set(submitter, {
      threadId,
      index: submitter - 1,
      memory,
      notes: new NoteReader(notes),
      cursor,
    });
  }

  /** It has ended; its log may be another's from now on. */
  end(submitter: number, exit: RecordedThread["exit"]): void {
    const track = this.#tracks.get(submitter);
    if (track === undefined) return;
    this.#tracks.delete(submitter);
    const { threadId, index } = track;
    this.#ended.push({ ...this.#read(track, 1), threadId, index, exit });
  }

  /** Nothing is told any more: threads that have yet to hear of it write on for a moment. */
  stop(): void {
    this.#tracks.clear();
    this.#ended = [];
  }

  /** What happened since the last look: of the jobs, one in `oneIn`, the same in all threads. */
  read(): RecordedBatch {
    const { oneIn } = this;
    const readings = [
      ...this.#ended,
      ...Array.from(this.#tracks.values(), (track) => {
        const { threadId, index } = track;
        return { ...this.#read(track, oneIn), threadId, index, exit: null };
      }),
    ];
    this.#ended = [];
    const notes = readings
      .flatMap(({ lines }) => lines)
      .map((line) => JSON.parse(line) as JobNote)
      .filter(([, job]) => isChosen(job, oneIn));
    return {
      nowUs: this.#now(),
      threads: readings.map(({ threadId, index, slices, dropped, exit }) => ({
        threadId,
        index,
        slices,
        dropped,
        exit,
      })),
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
    const slices: RecordedSlice[] = [];
    for (let at = 0; at < records.length; at += RECORD_FIELDS) {
      const key = records[at + 2]!;
      if (isChosen(key, oneIn))
        slices.push(sliceOf(records[at]!, records[at + 1]!, key, records[at + 3]!, records[at + 4]!));
    }
    for (let at = 0; at < open.length; at += OPEN_FIELDS)
      slices.push(sliceOf(open[at]!, null, open[at + 1]!, open[at + 2]!, open[at + 3]!));
    return { slices, dropped, lines: track.notes.read() };
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

/** By the number of the job: all that is told of one is told, or nothing. */
function isChosen(key: number, oneIn: number): boolean {
  return oneIn === 1 || key === 0 || (Math.floor(key / JOB_STEP) % JOB_NUMBERS) % oneIn === 0;
}

function sliceOf(
  startUs: number,
  endUs: number | null,
  job: number,
  code: number,
  value: number,
): RecordedSlice {
  const kind = kindOf(code);
  const isSubmit = kind === KIND.submit;
  const isRun = kind === KIND.run || kind === KIND.resume;
  return {
    kind: KIND_NAMES[kind],
    startUs,
    endUs,
    job,
    fn: job === 0 ? 0 : functionKey(serialOf(job), functionOf(code)),
    priority: PRIORITIES[priorityOf(job)] ?? "normal",
    parent: isSubmit ? value : 0,
    policy: isSubmit ? policyOf(code) : null,
    submittedUs: isRun ? value : 0,
    outcome:
      endUs !== null && (isRun || kind === KIND.finish || kind === KIND.settle) ? detailOf(code) : null,
  };
}

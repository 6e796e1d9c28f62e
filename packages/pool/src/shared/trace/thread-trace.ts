/**
 * What one thread records while the pool is traced: slices and moments, each with the key of its job. A table beside the slots tells the
 * thread that runs a job its key; the submitter writes it before it publishes the slot, so the claim orders it (slot.ts S1).
 */
import { clockOffsetUs } from "../clock.ts";
import { stringify } from "../intrinsics.ts";
import { now as clockNow } from "../timers.ts";
import { TraceMemory, TraceWriter } from "./trace-log.ts";
import { codeOf, DETAIL, type Detail, functionKey, jobKey, KIND, kindOf } from "./trace-code.ts";

/** As a thread gets it from the host. */
export interface TraceData {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  /** By slot: the job's key, and when it was submitted. */
  readonly jobs: Float64Array;
  /** `process.hrtime` when the trace began. */
  readonly originNs: bigint;
  /** When the host began to start this thread; microseconds, as all times of a trace. Below 0: it was there already. */
  readonly startedAt: number;
  /** For whoever follows the pool; null: nobody does. */
  readonly notes: NotesData | null;
}

/** Where notes go, and which values of contexts may be in them. */
export interface NotesData {
  readonly buffer: SharedArrayBuffer;
  readonly locals: readonly string[];
}

/** Takes notes of the jobs that this thread submits. */
export interface TraceNotes {
  /** It was made, nothing is claimed yet. Must run no code of the user's, and not throw. */
  began(key: number, job: object): void;
  /** It was told its outcome, so many microseconds after its submission. @param value What it was told. Must not throw. */
  settled(key: number, job: object, outcome: Detail, value: unknown, us: number): void;
}

/** What the slices of a job are told apart by, and when its submission began. */
interface Mark {
  readonly key: number;
  readonly startedAt: number;
}

/** Of a job that was submitted before the trace began: it is in no table. */
const noMark: Mark = { key: 0, startedAt: 0 };

export class ThreadTrace {
  /** Null unless somebody follows the pool. */
  notes: TraceNotes | null = null;
  /** Of the memory that it writes into: tells traces apart. */
  readonly buffer: SharedArrayBuffer;
  /** The slot of the job whose code runs, also after it has awaited something; below 0: none is known. */
  readonly #currentSlot: () => number;
  readonly #log: TraceWriter;
  readonly #jobs: Float64Array;
  readonly #serial: number;
  readonly #offsetUs: number;
  readonly #named = new Set<number>();
  /** Of jobs that this thread has submitted: kept only while the pool is traced. */
  readonly #marks = new WeakMap<object, Mark>();
  #submitted = 0;
  #outcome = 0;
  #isParked = false;
  #finishingSince = 0;
  #finishingKey = 0;
  #finishingCode = 0;

  constructor(
    { buffer, capacity, jobs, originNs, startedAt }: TraceData,
    serial: number,
    currentSlot: () => number = () => -1,
  ) {
    this.buffer = buffer;
    this.#currentSlot = currentSlot;
    this.#log = new TraceWriter(new TraceMemory(capacity, buffer));
    this.#jobs = jobs;
    this.#serial = serial;
    this.#offsetUs = clockOffsetUs(originNs);
    if (startedAt >= 0) this.#log.open(startedAt, 0, codeOf(KIND.start, 0), 0);
  }

  /** The thread looks for its first job. */
  started(): void {
    this.#log.close(this.now(), 0);
  }

  /** In microseconds since the trace began: one clock for all threads. */
  now(): number {
    return clockNow() * 1000 + this.#offsetUs;
  }

  // Of the submitting thread.

  /** The job was made; nothing is claimed yet. */
  began(job: object, priority: number, startedAt: number): void {
    const key = jobKey(this.#serial, ++this.#submitted, priority);
    this.#marks.set(job, { key, startedAt });
    if (this.notes !== null) this.notes.began(key, job);
  }

  /** The job goes into `slot`, which is still the submitter's. */
  place(slot: number, job: object): void {
    const { key, startedAt } = this.#markOf(job);
    this.#jobs[2 * slot] = key;
    this.#jobs[2 * slot + 1] = startedAt;
  }

  /**
   * @param policy Of POLICIES.
   * @param describe Asked when this function is submitted first.
   */
  submitted(job: object, fn: number, policy: number, describe: () => string): void {
    const { key, startedAt } = this.#markOf(job);
    if (!this.#named.has(fn)) {
      this.#named.add(fn);
      this.#log.name(`[${functionKey(this.#serial, fn >>> 0)},${stringify(describe())}]`);
    }
    this.#log.record(startedAt, this.now(), key, codeOf(KIND.submit, fn) + policy, this.#submitter());
  }

  canceled(job: object, fn: number): void {
    const { key } = this.#markOf(job);
    if (key !== 0) this.#moment(KIND.cancel, key, fn);
  }

  /** @param value What it was told. */
  settled(job: object, startedAt: number, fn: number, outcome: Detail, value: unknown): void {
    const mark = this.#markOf(job);
    if (mark === noMark) return;
    this.#log.record(startedAt, this.now(), mark.key, codeOf(KIND.settle, fn) + DETAIL[outcome], 0);
    if (this.notes !== null) this.notes.settled(mark.key, job, outcome, value, startedAt - mark.startedAt);
  }

  /** The job whose code submits: its part that runs at this moment, or one that goes on after an `await`. */
  #submitter(): number {
    const { openKey } = this.#log;
    if (openKey !== 0) return openKey;
    const slot = this.#currentSlot();
    return slot < 0 ? 0 : this.#jobs[2 * slot]!;
  }

  #markOf(job: object): Mark {
    return this.#marks.get(job) ?? noMark;
  }

  // Of the thread that runs the job in `slot`.

  stolen(slot: number, fn: number): void {
    this.#moment(KIND.steal, this.#jobs[2 * slot]!, fn);
  }

  /** The function is about to be called. */
  begin(kind: typeof KIND.run | typeof KIND.resume, slot: number, fn: number): void {
    this.#log.open(this.now(), this.#jobs[2 * slot]!, codeOf(kind, fn), this.#jobs[2 * slot + 1]!);
  }

  /** The same for a job that this thread has taken back, which is in no slot. */
  beginHere(job: object, fn: number): void {
    const { key, startedAt } = this.#markOf(job);
    this.#log.open(this.now(), key, codeOf(KIND.run, fn), startedAt);
  }

  /** It has returned. @param detail Omitted: as `finishing` said. */
  end(detail: number = this.#outcome): void {
    this.#log.close(this.now(), detail);
  }

  /** The outcome of the job is about to be written; `finished` must follow. */
  finishing(slot: number, fn: number, outcome: number): void {
    const key = this.#jobs[2 * slot]!;
    if (this.#log.openKey === key) {
      this.#outcome = outcome;
      return;
    }
    // It has awaited something: this is a slice of its own.
    this.#finishingKey = key;
    this.#finishingSince = this.now();
    this.#finishingCode = codeOf(KIND.finish, fn) + outcome;
  }

  finished(): void {
    if (this.#finishingKey === 0) return;
    this.#log.record(this.#finishingSince, this.now(), this.#finishingKey, this.#finishingCode, 0);
    this.#finishingKey = 0;
  }

  // Of a thread without a job.

  parked(): void {
    if (this.#isParked) return;
    this.#isParked = true;
    this.#log.open(this.now(), 0, codeOf(KIND.parked, 0), 0);
  }

  wokeUp(): void {
    if (!this.#isParked || kindOf(this.#log.openCode) !== KIND.parked) return;
    this.#isParked = false;
    this.#log.close(this.now(), 0);
  }

  /** `end` must follow. */
  joining(): void {
    this.#log.open(this.now(), 0, codeOf(KIND.joining, 0), 0);
  }

  #moment(kind: typeof KIND.steal | typeof KIND.cancel, key: number, fn: number): void {
    const now = this.now();
    this.#log.record(now, now, key, codeOf(kind, fn), 0);
  }
}

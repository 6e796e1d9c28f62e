/**
 * What one thread records while the pool is traced: slices and moments, each with the key of its job. A table beside the slots tells the
 * thread that runs a job its key; the submitter writes it before it publishes the slot, so the claim orders it (slot.ts S1).
 *
 * Of the jobs, all are recorded, or one in so many: who submits a job decides, by its number. The others cost a comparison here and there,
 * and no look at the clock.
 */
import { clockOffsetUs } from "../clock.ts";
import { stringify } from "../intrinsics.ts";
import { now as clockNow } from "../timers.ts";
import { TraceMemory, TraceWriter } from "./trace-log.ts";
import { codeOf, DETAIL, type Detail, functionKey, jobKey, KIND, kindOf } from "./trace-code.ts";

/** As a thread gets it from the host. */
export interface TraceData {
  /** Tells traces apart: each message brings another object for the same buffer. */
  readonly id: number;
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  /** By slot: the job's key, NOT_RECORDED if it has none, and when it was submitted. */
  readonly jobs: Float64Array;
  /** One job in so many is recorded, a power of two: a word that the host writes. */
  readonly oneIn: Int32Array;
  /** `process.hrtime` when the trace began. */
  readonly originNs: bigint;
  /** When the host began to start this thread; microseconds, as all times of a trace. Below 0: it was there already. */
  readonly startedAt: number;
  /** For whoever follows the pool; null: nobody does. */
  readonly notes: NotesData | null;
  /** Of a pool thread, as `notes`: see loop-delay.ts. */
  readonly loopDelay: SharedArrayBuffer | null;
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

/** Of a job that is recorded: what its slices are told apart by, and when its submission began. */
export interface TraceMark {
  readonly trace: ThreadTrace;
  readonly key: number;
  readonly startedAt: number;
}

/** In the place of a key. Keys are above 0; 0 stands for a job that was submitted before the trace began. */
const NOT_RECORDED = -1;

export class ThreadTrace {
  /** Null unless somebody follows the pool. */
  notes: TraceNotes | null = null;
  /** As TraceData.id. */
  readonly id: number;
  /** The slot of the job whose code runs, also after it has awaited something; below 0: none is known. */
  readonly #currentSlot: () => number;
  readonly #log: TraceWriter;
  readonly #jobs: Float64Array;
  readonly #oneIn: Int32Array;
  readonly #serial: number;
  readonly #offsetUs: number;
  readonly #named = new Set<number>();
  #submitted = 0;
  #outcome = 0;
  #isParked = false;
  #isJoining = false;
  #finishingSince = 0;
  #finishingKey = 0;
  #finishingCode = 0;

  constructor(
    { id, buffer, capacity, jobs, oneIn, originNs, startedAt }: TraceData,
    serial: number,
    currentSlot: () => number = () => -1,
  ) {
    this.id = id;
    this.#currentSlot = currentSlot;
    this.#log = new TraceWriter(new TraceMemory(capacity, buffer));
    this.#jobs = jobs;
    this.#oneIn = oneIn;
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

  /** A job is about to be made: when, if it is to be recorded. */
  beginning(): number {
    return this.#isChosen(this.#submitted + 1) ? this.now() : 0;
  }

  /**
   * The job was made; nothing is claimed yet.
   * @param startedAt As `beginning` said; jobs may have been made since.
   * @returns null: it is not recorded.
   */
  began(job: object, priority: number, startedAt: number): TraceMark | null {
    if (!this.#isChosen(++this.#submitted)) return null;
    const key = jobKey(this.#serial, this.#submitted, priority);
    if (this.notes !== null) this.notes.began(key, job);
    return { trace: this, key, startedAt: startedAt === 0 ? this.now() : startedAt };
  }

  /** The job goes into `slot`, which is still the submitter's. */
  place(slot: number, mark: TraceMark | null): void {
    const jobs = this.#jobs;
    if (this.#isOurs(mark)) {
      jobs[2 * slot] = mark.key;
      jobs[2 * slot + 1] = mark.startedAt;
    } else if (jobs[2 * slot] !== NOT_RECORDED) {
      // Not written again: the line stays in the caches of the threads that run the jobs.
      jobs[2 * slot] = NOT_RECORDED;
    }
  }

  /**
   * @param policy Of POLICIES.
   * @param describe Asked when this function is submitted first.
   */
  submitted({ key, startedAt }: TraceMark, fn: number, policy: number, describe: () => string): void {
    if (!this.#named.has(fn)) {
      this.#named.add(fn);
      this.#log.name(`[${functionKey(this.#serial, fn >>> 0)},${stringify(describe())}]`);
    }
    this.#log.record(startedAt, this.now(), key, codeOf(KIND.submit, fn) + policy, this.#submitter());
  }

  canceled(mark: TraceMark | null, fn: number): void {
    if (this.#isOurs(mark)) this.#moment(KIND.cancel, mark.key, fn);
  }

  /** Its outcome is about to be told: when, if that is to be recorded. */
  settling(mark: TraceMark | null): number {
    return this.#isOurs(mark) ? this.now() : 0;
  }

  /**
   * @param startedAt As `settling` said.
   * @param value What it was told.
   */
  settled(
    mark: TraceMark,
    job: object,
    startedAt: number,
    fn: number,
    outcome: Detail,
    value: unknown,
  ): void {
    this.#log.record(startedAt, this.now(), mark.key, codeOf(KIND.settle, fn) + DETAIL[outcome], 0);
    if (this.notes !== null) this.notes.settled(mark.key, job, outcome, value, startedAt - mark.startedAt);
  }

  /** The job whose code submits: its part that runs at this moment, or one that goes on after an `await`. */
  #submitter(): number {
    const { openKey } = this.#log;
    if (openKey !== 0) return openKey;
    const slot = this.#currentSlot();
    return slot < 0 ? 0 : Math.max(0, this.#jobs[2 * slot]!);
  }

  /** One that was made under another trace has a key of that. */
  #isOurs(mark: TraceMark | null): mark is TraceMark {
    return mark !== null && mark.trace === this;
  }

  /** Without a division, which would cost as much as the rest of a job that is not recorded. */
  #isChosen(count: number): boolean {
    return (count & (this.#interval() - 1)) === 0;
  }

  /** Read plainly: who sees it late records more or less for a moment. */
  #interval(): number {
    return this.#oneIn[0]!;
  }

  // Of the thread that runs the job in `slot`.

  /** Whether the job in `slot` is. Of others nothing below may be told, but `finishing` and `finished`. */
  records(slot: number): boolean {
    return this.#jobs[2 * slot] !== NOT_RECORDED;
  }

  stolen(slot: number, fn: number): void {
    if (this.records(slot)) this.#moment(KIND.steal, this.#jobs[2 * slot]!, fn);
  }

  /** The function is about to be called. */
  begin(kind: typeof KIND.run | typeof KIND.resume, slot: number, fn: number): void {
    this.#log.open(this.now(), this.#jobs[2 * slot]!, codeOf(kind, fn), this.#jobs[2 * slot + 1]!);
  }

  /** The same for a job that this thread has taken back, which is in no slot. */
  beginHere({ key, startedAt }: TraceMark, fn: number): void {
    this.#log.open(this.now(), key, codeOf(KIND.run, fn), startedAt);
  }

  /** It has returned. @param detail Omitted: as `finishing` said. */
  end(detail: number = this.#outcome): void {
    this.#log.close(this.now(), detail);
  }

  /** The outcome of the job is about to be written; `finished` must follow. */
  finishing(slot: number, fn: number, outcome: number): void {
    const key = this.#jobs[2 * slot]!;
    if (key === NOT_RECORDED) return;
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

  /** Not told unless every job is: a thread may rest between any two of them. */
  parked(): void {
    if (this.#isParked || this.#interval() > 1) return;
    this.#isParked = true;
    this.#log.open(this.now(), 0, codeOf(KIND.parked, 0), 0);
  }

  wokeUp(): void {
    if (!this.#isParked || kindOf(this.#log.openCode) !== KIND.parked) return;
    this.#isParked = false;
    this.#log.close(this.now(), 0);
  }

  /** As `parked`. */
  joining(): void {
    if (this.#interval() > 1) return;
    this.#isJoining = true;
    this.#log.open(this.now(), 0, codeOf(KIND.joining, 0), 0);
  }

  joined(): void {
    if (!this.#isJoining) return;
    this.#isJoining = false;
    this.#log.close(this.now(), 0);
  }

  #moment(kind: typeof KIND.steal | typeof KIND.cancel, key: number, fn: number): void {
    const now = this.now();
    this.#log.record(now, now, key, codeOf(kind, fn), 0);
  }
}

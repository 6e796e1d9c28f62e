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
  /** When the host began to start this thread; microseconds, as all times of a trace. */
  readonly startedAt: number;
}

/** What the slices of a job are told apart by, and when its submission began. */
interface Mark {
  readonly key: number;
  readonly startedAt: number;
}

export class ThreadTrace {
  readonly #log: TraceWriter;
  readonly #jobs: Float64Array;
  readonly #serial: number;
  readonly #offsetUs: number;
  readonly #named = new Set<number>();
  /** Of jobs that this thread has submitted: only a traced pool keeps them. */
  readonly #marks = new WeakMap<object, Mark>();
  #submitted = 0;
  #outcome = 0;
  #isParked = false;
  #finishingSince = 0;
  #finishingKey = 0;
  #finishingCode = 0;

  constructor({ buffer, capacity, jobs, originNs, startedAt }: TraceData, serial: number) {
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
    this.#marks.set(job, { key: jobKey(this.#serial, ++this.#submitted, priority), startedAt });
  }

  /** The job goes into `slot`, which is still the submitter's. */
  place(slot: number, job: object): void {
    const { key, startedAt } = this.#marks.get(job)!;
    this.#jobs[2 * slot] = key;
    this.#jobs[2 * slot + 1] = startedAt;
  }

  /** @param describe Asked when this function is submitted first. */
  submitted(job: object, fn: number, describe: () => string): void {
    const { key, startedAt } = this.#marks.get(job)!;
    if (!this.#named.has(fn)) {
      this.#named.add(fn);
      this.#log.name(`[${functionKey(this.#serial, fn >>> 0)},${stringify(describe())}]`);
    }
    this.#log.record(startedAt, this.now(), key, codeOf(KIND.submit, fn), this.#log.openKey);
  }

  canceled(job: object, fn: number): void {
    this.#moment(KIND.cancel, this.#marks.get(job)!.key, fn);
  }

  settled(job: object, startedAt: number, fn: number, outcome: Detail): void {
    const { key } = this.#marks.get(job)!;
    this.#log.record(startedAt, this.now(), key, codeOf(KIND.settle, fn) + DETAIL[outcome], 0);
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
    const { key, startedAt } = this.#marks.get(job)!;
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

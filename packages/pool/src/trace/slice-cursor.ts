/** What threads did, slice by slice, as whoever reads a recording has it; and a reader of many slices that makes no object for each. */
import { PRIORITIES } from "../shared/layout.ts";
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
import { RECORD_FIELDS } from "../shared/trace/trace-log.ts";

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

const KIND_NAMES: readonly (keyof typeof KIND)[] = Object.entries(KIND).reduce<(keyof typeof KIND)[]>(
  (names, [name, kind]) => {
    names[kind] = name as keyof typeof KIND;
    return names;
  },
  [],
);

/** Is one slice after the other, so that whoever reads many of them makes no object for each. */
export class SliceCursor implements RecordedSlice {
  readonly #numbers: Float64Array;
  #at = -RECORD_FIELDS;

  /** @internal @param numbers As records of a log; those that go on end below 0. */
  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  /** @returns whether it is the next one now; false: there is none. */
  next(): boolean {
    this.#at += RECORD_FIELDS;
    return this.#at < this.#numbers.length;
  }

  get kind(): keyof typeof KIND {
    return KIND_NAMES[this.#kind]!;
  }

  get startUs(): number {
    return this.#numbers[this.#at]!;
  }

  get endUs(): number | null {
    const end = this.#numbers[this.#at + 1]!;
    return end < 0 ? null : end;
  }

  get job(): number {
    return this.#numbers[this.#at + 2]!;
  }

  get fn(): number {
    const { job } = this;
    return job === 0 ? 0 : functionKey(serialOf(job), functionOf(this.#code));
  }

  get priority(): RecordedSlice["priority"] {
    return PRIORITIES[priorityOf(this.job)] ?? "normal";
  }

  get parent(): number {
    return this.#kind === KIND.submit ? this.#value : 0;
  }

  get policy(): Policy | null {
    return this.#kind === KIND.submit ? policyOf(this.#code) : null;
  }

  get submittedUs(): number {
    return this.#isRun ? this.#value : 0;
  }

  get outcome(): Detail | null {
    const kind = this.#kind;
    if (this.endUs === null || !(this.#isRun || kind === KIND.finish || kind === KIND.settle)) return null;
    return detailOf(this.#code);
  }

  /** As an object of its own, which stays as it is. */
  toSlice(): RecordedSlice {
    const { kind, startUs, endUs, job, fn, priority, parent, policy, submittedUs, outcome } = this;
    return { kind, startUs, endUs, job, fn, priority, parent, policy, submittedUs, outcome };
  }

  get #kind(): Kind {
    return kindOf(this.#code);
  }

  get #isRun(): boolean {
    const kind = this.#kind;
    return kind === KIND.run || kind === KIND.resume;
  }

  get #code(): number {
    return this.#numbers[this.#at + 3]!;
  }

  get #value(): number {
    return this.#numbers[this.#at + 4]!;
  }
}

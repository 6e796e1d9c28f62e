/**
 * A job that was forked. Most are taken back by the thread that forked them and called like any function, so this is everything in
 * one object: what the job calls hold, and what submission and settlement know. A task is made only for who awaits it, and for an error
 * that nobody may have seen.
 *
 * The fields of PendingJob stand here once more: with a base class, fork and join took a tenth longer.
 */
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import type { ContextEntry } from "./context-entries.ts";
import type { FunctionEntry } from "./function-registry.ts";
import { type JobExtras, noExtras } from "./job-extras.ts";
import {
  COMPLETED,
  NO_SLOT,
  type OutcomeKind,
  type PendingJob,
  rejectionOf,
  WAITING,
} from "./pending-job.ts";
import type { SubmitOptions } from "./submit-options.ts";

/** A job that was forked: the thread that forked it waits with `join`, or with `await`. */
export interface ForkedTask<T> extends PromiseLike<T> {
  /**
   * The result. If nobody has stolen the job, this thread runs it now; otherwise it helps with other jobs until the result
   * is there. Blocks the thread, not its other jobs' results; its event loop stands still meanwhile.
   *
   * @throws the error of the job.
   * @throws InvalidOperationError when the job could only go on if this call returned: it awaits something on this very thread, or
   * threads wait for each other in a circle. The job itself goes on as far as it can.
   */
  join(): T;
  /** Waits without blocking; as Task.then. */
  // oxlint-disable-next-line unicorn/no-thenable -- it is awaited
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B>;
}

/** The thread's side of forking. */
export interface Joiner {
  /** Of every job that is forked. */
  readonly options: SubmitOptions;
  /** Returns when the job is over. */
  join(job: ForkedJob): void;
}

const PENDING = 0;
const SUCCEEDED = 1;
/** The error is in the job alone: `join` has thrown it. */
const THROWN = 2;
/** The outcome is in the task. */
const IN_TASK = 3;

export class ForkedJob implements PendingJob, ForkedTask<unknown> {
  readonly #joiner: Joiner;
  readonly fn: FunctionEntry;
  /** What the function is called with when it is not stolen; null: what the slot holds, because something in it is copied. */
  readonly args: readonly unknown[] | null;
  /** `args` are nothing but numbers, and not encoded. */
  readonly isNumbers: boolean;
  stage: number = WAITING;
  slot: number = NO_SLOT;
  context: ContextEntry | null = null;
  argsLength: number = 0;
  block: number = 0;
  extras: JobExtras = noExtras;
  submittedAt: number | null = null;
  outcome: OutcomeKind = COMPLETED;
  /** The outcome; from SUCCEEDED and THROWN on for `join`. */
  value: unknown = undefined;
  next: PendingJob | null = null;
  #state: number = PENDING;
  #source: TaskCompletionSource<unknown> | null = null;

  constructor(joiner: Joiner, fn: FunctionEntry, args: readonly unknown[] | null, isNumbers: boolean) {
    this.#joiner = joiner;
    this.fn = fn;
    this.args = args;
    this.isNumbers = isNumbers;
  }

  join(): unknown {
    if (this.#state === PENDING) this.#joiner.join(this);
    if (this.#state === SUCCEEDED) return this.value;
    if (this.#state === THROWN) throw this.value;
    return this.#source!.task.result;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is awaited
  then<A = unknown, B = never>(
    onFulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    return this.task.then(onFulfilled, onRejected);
  }

  /** Most forks of a job have its context. */
  get contextBeside(): null {
    return null;
  }

  get isOver(): boolean {
    return this.#state !== PENDING;
  }

  get task(): Task<unknown> {
    if (this.#source === null) {
      this.#source = new TaskCompletionSource<unknown>();
      if (this.#state === SUCCEEDED) this.#source.trySetResult(this.value);
      else if (this.#state === THROWN) this.#source.trySetError(rejectionOf(this.value));
    }
    return this.#source.task;
  }

  trySetResult(result: unknown): void {
    this.#state = SUCCEEDED;
    this.value = result;
    this.#source?.trySetResult(result);
  }

  /** Somebody has to observe the error: that is the task's business. */
  trySetError(error: unknown): void {
    this.#state = IN_TASK;
    this.#source ??= new TaskCompletionSource<unknown>();
    this.#source.trySetError(error);
  }

  trySetCanceled(reason: Error): void {
    this.#state = IN_TASK;
    this.#source ??= new TaskCompletionSource<unknown>();
    this.#source.trySetCanceled(reason);
  }

  /** `join` is about to throw it. */
  setThrown(error: unknown): void {
    this.#state = THROWN;
    this.value = error;
    if (this.#source === null) return;
    this.#source.trySetError(rejectionOf(error));
    // Observed: `join` throws it.
    void this.#source.task.error;
  }

  /** Forking has none. */
  get options(): SubmitOptions {
    return this.#joiner.options;
  }
}

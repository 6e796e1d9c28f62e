/** A submitted job on the submitting thread: what becomes of its outcome, and what has to be given back when it is over. */
import { SkeinError } from "@skein/context/errors";
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import type { ContextEntry } from "./context-table.ts";
import type { FunctionEntry } from "./function-registry.ts";
import type { JobExtras } from "./job-extras.ts";
import type { SubmitOptions } from "./submit-options.ts";

/** Not in the slot table. */
export const NO_SLOT = -1;

// Stages of a job: see ledger.ts.
export const WAITING = 0;
export const PLACED = 1;
export const HERE = 2;
export const DECIDED = 3;
export const SETTLED = 4;

/** What the ledger knows of a job. */
export interface PendingJob {
  readonly fn: FunctionEntry;
  readonly options: SubmitOptions;
  readonly context: ContextEntry | null;
  /** WAITING to SETTLED. */
  stage: number;
  slot: number;
  /** What the job is called with, if it is called here; null: only its encoded form is kept. */
  readonly args: readonly unknown[] | null;
  /** `args` are nothing but numbers, and not encoded. */
  readonly isNumbers: boolean;
  /** Of the encoded arguments. */
  readonly argsLength: number;
  /** Where they lie, a handle of payloads.ts; 0: inline, at most INLINE_BYTES. */
  readonly block: number;
  /** For the statistics: not every job is timed. 0: this one is not. */
  readonly submittedAt: number;
  extras: JobExtras;

  /** What the caller waits for. Some jobs make it when it is first asked for. */
  readonly task: Task<unknown>;
  /** Whether the caller has the outcome: one of the following was called. */
  readonly isOver: boolean;
  trySetResult(result: unknown): void;
  trySetError(error: unknown): void;
  trySetCanceled(reason: Error): void;
}

/** A job whose caller has its task from the start. */
export class TaskJob extends TaskCompletionSource<unknown> implements PendingJob {
  readonly fn: FunctionEntry;
  readonly options: SubmitOptions;
  readonly context: ContextEntry | null;
  stage: number = WAITING;
  slot: number = NO_SLOT;
  readonly argsLength: number;
  readonly block: number;
  readonly submittedAt: number;
  extras: JobExtras;

  constructor(
    fn: FunctionEntry,
    options: SubmitOptions,
    context: ContextEntry | null,
    argsLength: number,
    block: number,
    submittedAt: number,
    extras: JobExtras,
  ) {
    super(options.continuations);
    this.fn = fn;
    this.options = options;
    this.context = context;
    this.argsLength = argsLength;
    this.block = block;
    this.submittedAt = submittedAt;
    this.extras = extras;
  }

  get isOver(): boolean {
    return this.task.isCompleted;
  }

  get args(): null {
    return null;
  }

  get isNumbers(): boolean {
    return false;
  }
}

/** What a task can end with, for whatever a job threw: a task has no null for an error, and a list stands for several of them. */
export function rejectionOf(thrown: unknown): unknown {
  if (thrown === null || thrown === undefined) {
    return new SkeinError("ERR_SKEIN_NOTHING_THROWN", `The job threw ${thrown}, which says nothing`);
  }
  return Array.isArray(thrown) ? [thrown] : thrown;
}

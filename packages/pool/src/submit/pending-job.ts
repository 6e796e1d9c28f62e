/** A submitted job on the submitting thread: what becomes of its outcome, and what has to be given back when it is over. */
import { SkeinError } from "@skein/context/errors";
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import type { ContextEntry } from "./context-table.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import { nameAs } from "../jobs/called-tasks.ts";
import type { FunctionEntry } from "./function-registry.ts";
import { type JobExtras, noExtras } from "./job-extras.ts";
import type { SubmitOptions } from "./submit-options.ts";

/** Not in the slot table. */
export const NO_SLOT = -1;

// Stages of a job: see ledger.ts.
export const WAITING = 0;
export const IN_SLOT = 1;
export const HERE = 2;
export const DECIDED = 3;
export const SETTLED = 4;

// Kinds of outcomes: see outcomes.ts.
export const COMPLETED = 0;
/** With what the job threw, in its wire form: an instance of the user's class is made when the outcome is told, not before. */
export const THREW = 1;
export const FAILED = 2;
export const CANCELED = 3;
export const CRASHED = 4;
export type OutcomeKind = typeof COMPLETED | typeof THREW | typeof FAILED | typeof CANCELED | typeof CRASHED;

/** What `tell` needs (outcomes.ts): a job of any engine, with its outcome once that is decided. */
export interface DecidedJob {
  readonly fn: { readonly source: FunctionSource };
  extras: JobExtras;
  outcome: OutcomeKind;
  value: unknown;
  /** Names the job in messages: as a rule what the caller waits for. Some jobs make it when it is first asked for. */
  readonly task: object;
  /** Whether the caller has the outcome: one of the following was called. */
  readonly isOver: boolean;
  trySetResult(result: unknown): void;
  trySetError(error: unknown): void;
  trySetCanceled(reason: Error): void;
}

/** What the ledger knows of a job. */
export interface PendingJob extends DecidedJob {
  readonly fn: FunctionEntry;
  readonly options: SubmitOptions;
  /** WAITING to SETTLED. */
  stage: number;
  slot: number;
  /** What the job is called with, if it is called here; null: only its encoded form is kept. */
  readonly args: readonly unknown[] | null;
  /** `args` are nothing but numbers, and not encoded. */
  readonly isNumbers: boolean;

  // What it holds: see `JobMaker`, which fills this in, and `Ledger.giveBack`.

  /** Null: it names none. */
  context: ContextEntry | null;
  /** Of a context whose text lies behind its encoded arguments, and is counted with them: see slot-filling.ts. Null: none, as `submittedAt`. */
  contextBeside: number | null;
  /** Of the encoded arguments. */
  argsLength: number;
  /** Where they lie, a handle of payloads.ts; 0: inline, at most INLINE_BYTES. */
  block: number;
  /** For the statistics. Null: not every job is timed, and a job that is not need not have a number object of its own. */
  submittedAt: number | null;
  /** The one whose outcome was decided after this one's. */
  next: PendingJob | null;
}

/** A job whose caller has its task from the start. */
export class TaskJob extends TaskCompletionSource<unknown> implements PendingJob {
  readonly fn: FunctionEntry;
  readonly options: SubmitOptions;
  stage: number = WAITING;
  slot: number = NO_SLOT;
  context: ContextEntry | null = null;
  contextBeside: number | null = null;
  argsLength: number = 0;
  block: number = 0;
  extras: JobExtras = noExtras;
  submittedAt: number | null = null;
  outcome: OutcomeKind = COMPLETED;
  value: unknown = undefined;
  next: PendingJob | null = null;

  constructor(fn: FunctionEntry, options: SubmitOptions) {
    super(options.continuations);
    this.fn = fn;
    this.options = options;
  }

  get isOver(): boolean {
    return this.task.isCompleted;
  }

  /** It gives its results piece by piece: from now on its outcome is that of the stream. @returns the task of the call, which gets the stream. */
  beginStream(): Task<unknown> {
    return continueAsStream(this, this.options);
  }

  get args(): null {
    return null;
  }

  get isNumbers(): boolean {
    return false;
  }
}

/** See `TaskJob.beginStream`. The caller's task holds the stream, and nothing of ours holds that task: a stream that nobody reads is collected. */
export function continueAsStream(
  job: TaskCompletionSource<unknown>,
  { continuations }: SubmitOptions,
): Task<unknown> {
  const called = job.task;
  const { task } = new TaskCompletionSource<unknown>(continuations);
  (job as { task: Task<unknown> }).task = task;
  nameAs(task, called);
  return called;
}

/** What a task can end with, for whatever a job threw: a task has no null for an error, and a list stands for several of them. */
export function rejectionOf(thrown: unknown): unknown {
  if (thrown === null || thrown === undefined) {
    return new SkeinError("ERR_SKEIN_NOTHING_THROWN", `The job threw ${thrown}, which says nothing`);
  }
  return Array.isArray(thrown) ? [thrown] : thrown;
}

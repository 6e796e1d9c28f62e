/** A job whose caller has its task from the start. */
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import { nameAs } from "../jobs/called-tasks.ts";
import type { ContextEntry } from "./context-table.ts";
import type { FunctionEntry } from "./function-registry.ts";
import { type JobExtras, noExtras } from "./job-extras.ts";
import { COMPLETED, NO_SLOT, type OutcomeKind, type PendingJob, WAITING } from "./pending-job.ts";
import type { SubmitOptions } from "./submit-options.ts";

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

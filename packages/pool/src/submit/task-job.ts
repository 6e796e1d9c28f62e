/** A job whose caller has its task from the start. */
import { createTask, giveCanceled, giveError, giveResult, type Task } from "@skein/scheduling/internal";
import { nameAs } from "../jobs/called-tasks.ts";
import { channels, someoneFollowsJobs } from "../jobs/channels.ts";
import { type FunctionEntry, noFunction } from "./function-registry.ts";
import { PendingJob } from "./pending-job.ts";
import { defaultSubmitOptions, type SubmitOptions } from "./submit-options.ts";

export class TaskJob extends PendingJob {
  /**
   * Of no caller, and always there. V8 lets a hidden class go with its last object, and with it all optimized code that has seen one: after a
   * collection while no job is alive, the next burst would begin in the interpreter, and take twice as long.
   */
  static readonly kept: TaskJob = new TaskJob(noFunction, defaultSubmitOptions);

  readonly options: SubmitOptions;
  contextBeside: number | null = null;
  readonly task: Task<unknown>;

  constructor(fn: FunctionEntry, options: SubmitOptions) {
    super(fn);
    this.options = options;
    this.task = newTask(options);
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

  trySetResult(result: unknown): void {
    giveResult(this.task, result);
  }

  trySetError(error: unknown): void {
    giveError(this.task, error);
  }

  trySetCanceled(reason: Error): void {
    giveCanceled(this.task, reason);
  }
}

/** See `TaskJob.beginStream`. The caller's task holds the stream, and nothing of ours holds that task: a stream that nobody reads is collected. */
export function continueAsStream(
  job: { readonly task: Task<unknown> },
  options: Pick<SubmitOptions, "continuations">,
): Task<unknown> {
  const called = job.task;
  const task = newTask(options);
  (job as { task: Task<unknown> }).task = task;
  // A weak reference and its entry in a map cost a seventh of a short stream.
  if (someoneFollowsJobs() || channels.threadExit.hasSubscribers) nameAs(task, called);
  return called;
}

function newTask({ continuations }: Pick<SubmitOptions, "continuations">): Task<unknown> {
  return createTask(continuations === undefined ? "asynchronous" : continuations.continuations);
}

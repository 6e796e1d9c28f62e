/** A submitted job on the submitting thread: what becomes of its outcome, and what has to be given back when it is over. */
import { SkeinError } from "@skein/context/errors";
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import type { CallerFrames } from "./caller-frames.ts";
import type { ContextEntry } from "./context-table.ts";
import type { FunctionEntry } from "./function-registry.ts";
import type { SubmitOptions } from "./submit-options.ts";

/** Not in the slot table: still in the backlog, or over. */
export const NO_SLOT = -1;

/** What submission and settlement know of a job. */
export interface PendingJob {
  readonly fn: FunctionEntry;
  readonly options: SubmitOptions;
  readonly context: ContextEntry | null;
  readonly frames: CallerFrames | null;
  slot: number;
  /** What the job is called with, if it is called here; null: only its encoded form is kept. */
  readonly args: readonly unknown[] | null;
  /** `args` are nothing but numbers, and not encoded. */
  readonly isNumbers: boolean;
  /** Of the encoded arguments. */
  readonly argsLength: number;
  /** Where they lie in the arena; 0: inline, at most INLINE_BYTES. */
  readonly block: number;
  /** What the encoded arguments name but do not contain: users' SharedArrayBuffers. */
  readonly keepAlive: unknown;
  /** Stops listening to the caller's signal and clock. */
  stopWatching: (() => void) | null;
  /** For the statistics: not every job is timed. 0: this one is not. */
  readonly submittedAt: number;
  /** For jobs that may run again, null for others. */
  readonly retry: Retry | null;
  /** Of its listener, 0: nobody listens. */
  readonly progressId: number;
  /** Of its carried arguments, 0: there are none. */
  readonly carriedId: number;

  /** What the caller waits for. Some jobs make it when it is first asked for. */
  readonly task: Task<unknown>;
  /** Whether there is an outcome: one of the following was called. */
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
  readonly frames: CallerFrames | null;
  slot: number = NO_SLOT;
  readonly argsLength: number;
  readonly block: number;
  readonly keepAlive: unknown;
  stopWatching: (() => void) | null = null;
  readonly submittedAt: number;
  readonly retry: Retry | null;
  readonly progressId: number;
  readonly carriedId: number;

  constructor(
    fn: FunctionEntry,
    options: SubmitOptions,
    context: ContextEntry | null,
    frames: CallerFrames | null,
    argsLength: number,
    block: number,
    keepAlive: unknown,
    retry: Retry | null,
    progressId: number,
    carriedId: number,
    submittedAt: number,
  ) {
    super(options.continuations);
    this.fn = fn;
    this.options = options;
    this.context = context;
    this.frames = frames;
    this.argsLength = argsLength;
    this.block = block;
    this.keepAlive = keepAlive;
    this.retry = retry;
    this.progressId = progressId;
    this.carriedId = carriedId;
    this.submittedAt = submittedAt;
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

/** After a crash: the slot's own copy of inline arguments may be overwritten with half an outcome. */
export interface Retry {
  left: number;
  readonly args: Uint8Array;
}

/** What a task can end with, for whatever a job threw: a task has no null for an error, and a list stands for several of them. */
export function rejectionOf(thrown: unknown): unknown {
  if (thrown === null || thrown === undefined) {
    return new SkeinError("ERR_SKEIN_NOTHING_THROWN", `The job threw ${thrown}, which says nothing`);
  }
  return Array.isArray(thrown) ? [thrown] : thrown;
}

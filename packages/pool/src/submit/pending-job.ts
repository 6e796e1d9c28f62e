/** A submitted job on the submitting thread: the source of its task, and what has to be given back when it is over. */
import { TaskCompletionSource } from "@skein/scheduling";
import type { CallerFrames } from "./caller-frames.ts";
import type { ContextEntry } from "./context-table.ts";
import type { FunctionEntry } from "./function-registry.ts";
import type { SubmitOptions } from "./submission.ts";

/** Not in the slot table: still in the backlog, or over. */
export const NO_SLOT = -1;

export class PendingJob extends TaskCompletionSource<unknown> {
  readonly fn: FunctionEntry;
  readonly options: SubmitOptions;
  readonly context: ContextEntry | null;
  readonly frames: CallerFrames | null;
  slot: number = NO_SLOT;
  /** Of the encoded arguments. */
  readonly argsLength: number;
  /** Where they lie in the arena; 0: inline, at most INLINE_BYTES. */
  readonly block: number;
  /** What the encoded arguments name but do not contain: users' SharedArrayBuffers. */
  readonly keepAlive: unknown;
  /** Stops listening to the caller's signal and clock. */
  stopWatching: (() => void) | null = null;
  /** For the statistics: not every job is timed. 0: this one is not. */
  readonly submittedAt: number;
  /** For jobs that may run again, null for others. */
  readonly retry: Retry | null;
  /** Of its listener, 0: nobody listens. */
  readonly progressId: number;

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
    this.submittedAt = submittedAt;
  }
}

/** After a crash: the slot's own copy of inline arguments may be overwritten with half an outcome. */
export interface Retry {
  left: number;
  readonly args: Uint8Array;
}

/** A submitted job on the submitting thread: the source of its task, and what has to be given back when it is over. */
import { type ContinuationPolicy, TaskCompletionSource } from "@skein/scheduling";
import type { Block } from "../shared/arena.ts";
import type { CallerFrames } from "./caller-frames.ts";
import type { ContextEntry } from "./context-table.ts";

/** Not in the slot table: still in the backlog, or over. */
export const NO_SLOT = -1;

export class PendingJob extends TaskCompletionSource<unknown> {
  readonly functionId: number;
  readonly priority: number;
  readonly context: ContextEntry | null;
  readonly frames: CallerFrames | null;
  slot: number = NO_SLOT;
  /** Of the encoded arguments: inline up to INLINE_BYTES, else in `block`. */
  readonly argsLength: number;
  readonly block: Block | null;
  /** What the encoded arguments name but do not contain: users' SharedArrayBuffers. */
  readonly keepAlive: unknown;
  /** Stops listening to the caller's signal and clock. */
  stopWatching: (() => void) | null = null;

  constructor(
    functionId: number,
    priority: number,
    context: ContextEntry | null,
    frames: CallerFrames | null,
    argsLength: number,
    block: Block | null,
    keepAlive: unknown,
    continuations: { continuations: ContinuationPolicy } | undefined,
  ) {
    super(continuations);
    this.functionId = functionId;
    this.priority = priority;
    this.context = context;
    this.frames = frames;
    this.argsLength = argsLength;
    this.block = block;
    this.keepAlive = keepAlive;
  }
}

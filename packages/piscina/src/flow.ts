/** What the class asks of the way that tasks go: task-flow.ts, where the pool's threads take them, or balanced-flow.ts. */
import type { AbortSignalAny } from "./abort-signal.ts";
import type { Times } from "./histogram.ts";
import type { QueuedTask } from "./task-info.ts";
import type { TaskQueue } from "./task-queues.ts";

export interface FlowOptions {
  /** Null: none of the program's own. */
  readonly taskQueue: TaskQueue | null;
  readonly maxQueue: number;
  readonly runTimes: Times | null;
  readonly waitTimes: Times | null;
  /** Tasks have come or gone, or have a thread. */
  readonly changed: () => void;
}

export interface Flow {
  /** Tasks that were settled, but for those that were aborted before they had a thread. */
  readonly completed: number;
  /** Tasks that have no thread yet. */
  readonly waiting: number;
  /** Tasks that share threads and have one. */
  readonly usage: number;
  readonly idleThreads: number;
  submit(info: QueuedTask, signal: AbortSignalAny | null): void;
  /** There are more threads, or fewer, or one is ready. */
  next(): void;
  rejectWaiting(error: () => Error): void;
  /** Rejects all; nothing waits for the threads any more. */
  rejectAll(error: () => Error): void;
  /** @returns resolves when no task is open, with true; with false after `timeoutMs`. */
  whenEmpty(timeoutMs: number): Promise<boolean>;
}

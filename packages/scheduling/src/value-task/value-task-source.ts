import type { TaskStatus } from "../task-state.ts";

export type ValueTaskStatus = TaskStatus;

/** What a wait wants besides being called back; unknown bits are ignored. */
export const ValueTaskSourceOnCompletedFlags: {
  /** Call back anywhere, in any context. */
  readonly none: 0;
  /** Call back on the SynchronizationContext or TaskScheduler that is current now. */
  readonly useSchedulingContext: 1;
  /** Call back in the ExecutionContext of now. */
  readonly flowExecutionContext: 2;
} = Object.freeze({ none: 0, useSchedulingContext: 1, flowExecutionContext: 2 });

/**
 * The operation behind a ValueTask. One object can serve one operation after another: each has a token of its own, and a call
 * with an old one must throw.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.sources.ivaluetasksource-1
 */
export interface ValueTaskSource<T> {
  getStatus(token: number): ValueTaskStatus;
  /** Calls back once, with `state`, when the operation completes; never on this call's own stack. */
  onCompleted<S>(continuation: (state: S) => void, state: S, token: number, flags: number): void;
  /** The result, or throws the error. @throws InvalidOperationError before completion. */
  getResult(token: number): T;
}

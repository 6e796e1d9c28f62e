export type { ConfigureAwaitOptions } from "./configure-await.ts";
export type { ContinuationPolicy } from "./continuation-policy.ts";
export type { ContinueOn } from "./continue-with.ts";
export {
  InvalidOperationError,
  OperationCanceledError,
  type OperationCanceledErrorOptions,
  TaskSchedulerError,
  TimeoutError,
} from "./errors.ts";
export type { EventSource } from "./from-event.ts";
export { ManualScheduler } from "./manual-scheduler.ts";
export { TaskCompletionSource, type TaskCompletionSourceOptions } from "./task-completion-source.ts";
export type { ContinueWithOptions, FromEventOptions, SignalOptions, WaitOptions } from "./task-options.ts";
export { ScheduledItem, TaskScheduler } from "./task-scheduler.ts";
export type { TaskStatus } from "./task-state.ts";
export { ConfiguredTask, Task } from "./task.ts";
export type { TaskStream, TaskStreamIterator } from "./when-each.ts";

export type { ConfigureAwaitOptions } from "./configure-await.ts";
export type { ContinuationPolicy } from "./continuation-policy.ts";
export {
  InvalidOperationError,
  OperationCanceledError,
  type OperationCanceledErrorOptions,
  TaskSchedulerError,
  TimeoutError,
} from "./errors.ts";
export { TaskCompletionSource, type TaskCompletionSourceOptions } from "./task-completion-source.ts";
export { ScheduledItem, TaskScheduler } from "./task-scheduler.ts";
export type { TaskStatus } from "./task-state.ts";
export { ConfiguredTask, Task } from "./task.ts";

export { type Awaitable, type Awaiter, awaiter } from "./awaiting/awaiter.ts";
export { CustomAwaitable } from "./awaiting/custom-awaitable.ts";
export type { AwaitIterator } from "./awaiting/suspension.ts";
export type { YieldAwaitable } from "./awaiting/yield-awaitable.ts";
export type { CancellationSignal } from "./cancellation/cancellation-hook.ts";
export {
  CancellationToken,
  CancellationTokenRegistration,
  type RegisterOptions,
} from "./cancellation/cancellation-token.ts";
export { CancellationTokenSource, type CancelOptions } from "./cancellation/cancellation-token-source.ts";
export type { ConfigureAwaitOptions } from "./configure-await.ts";
export { MessageLoop, type MessageLoopOptions } from "./contexts/message-loop.ts";
export { SynchronizationContext } from "./contexts/synchronization-context.ts";
export type { ContinuationPolicy } from "./continuation-policy.ts";
export type { ContinueOn } from "./continue-with.ts";
export {
  type CancellationCause,
  InvalidOperationError,
  NotCloneableError,
  ObjectDisposedError,
  OperationCanceledError,
  type OperationCanceledErrorOptions,
  TaskSchedulerError,
  TimeoutError,
} from "./errors.ts";
export type { EventSource } from "./from-event.ts";
export { asyncMethod } from "./methods/define-method.ts";
export type { AsyncMethodBuilder, MethodBody } from "./methods/method-builder.ts";
export {
  ConcurrentExclusiveSchedulerPair,
  type ConcurrentExclusiveSchedulerPairOptions,
} from "./schedulers/concurrent-exclusive-scheduler-pair.ts";
export { EventLoopScheduler, type EventLoopSchedulerOptions } from "./schedulers/event-loop-scheduler.ts";
export { ManualScheduler } from "./schedulers/manual-scheduler.ts";
export { TaskCompletionSource, type TaskCompletionSourceOptions } from "./task-completion-source.ts";
export type { ContinueWithOptions, FromEventOptions, SignalOptions, WaitOptions } from "./task-options.ts";
export { ScheduledItem, TaskScheduler } from "./task-scheduler.ts";
export type { TaskStatus } from "./task-state.ts";
export { ConfiguredTask, Task } from "./task.ts";
export { ConfiguredValueTask } from "./value-task/configured-value-task.ts";
export {
  ManualResetValueTaskSource,
  type ManualResetValueTaskSourceOptions,
} from "./value-task/manual-reset-value-task-source.ts";
export {
  type ValueTaskSource,
  ValueTaskSourceOnCompletedFlags,
  type ValueTaskStatus,
} from "./value-task/value-task-source.ts";
export { ValueTask } from "./value-task/value-task.ts";
export { AsyncAutoResetEvent, type AsyncAutoResetEventOptions } from "./waiting/async-auto-reset-event.ts";
export {
  AsyncManualResetEvent,
  type AsyncManualResetEventOptions,
} from "./waiting/async-manual-reset-event.ts";
export { AsyncSemaphore, SemaphoreFullError } from "./waiting/async-semaphore.ts";
export {
  BlockingCollection,
  type BlockingCollectionOptions,
  type TakenItem,
} from "./waiting/blocking-collection.ts";
export {
  SharedBlockingCollection,
  type SharedBlockingCollectionOptions,
  type SyncWaitOptions,
} from "./waiting/shared-blocking-collection.ts";
export type { ContinuationsOption } from "./waiting/waiting-options.ts";
export type { TaskStream, TaskStreamIterator } from "./when-each.ts";

/**
 * The entry `@skein/scheduling/internal`: for the other packages of Skein, which take jobs in and out, and load nothing but this file
 * (scripts/bundle.ts). Not for programs: it may change with any version.
 *
 * @module
 * @internal
 */
export { abortOnce } from "./cancellation/abort-signal.ts";
export { InvalidOperationError, OperationCanceledError, TaskSchedulerError, TimeoutError } from "./errors.ts";
export { giveCanceled, giveError, giveResult, TaskCompletionSource } from "./task-completion-source.ts";
export { schedule, TaskScheduler } from "./task-scheduler.ts";
export { createTask, Task } from "./task.ts";
export { addCallback, policyOf, trySucceed } from "./task-state.ts";
export { ItemQueue } from "./item-queue.ts";

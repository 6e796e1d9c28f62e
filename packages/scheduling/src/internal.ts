/**
 * The entry `@skein/scheduling/internal`: for the other packages of Skein, which take jobs in and out. Not for programs: it may change
 * with any version.
 */
export { swapContext } from "./contexts/synchronization-context.ts";
export { swapScheduler } from "./task-scheduler.ts";

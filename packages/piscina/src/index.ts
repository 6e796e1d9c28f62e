import { Piscina } from "./piscina.ts";
import { dataOfThread, isPiscinaThread } from "./thread-mark.ts";

/** The last for `require`: what it returns is the class itself. */
export { Piscina, Piscina as default, Piscina as "module.exports" } from "./piscina.ts";
export type { CloseOptions, RunOptions } from "./piscina.ts";
export type { PiscinaOptions } from "./options.ts";
export type { PiscinaHistogram, PiscinaHistogramSummary } from "./histogram.ts";
export {
  type AbortSignalAny,
  type AbortSignalEventEmitter,
  type AbortSignalEventTarget,
} from "./abort-signal.ts";
export { ArrayTaskQueue, FixedQueue, type PiscinaTask, type Task, type TaskQueue } from "./task-queues.ts";
export {
  kQueueOptions as queueOptionsSymbol,
  kTransferable as transferableSymbol,
  kValue as valueSymbol,
} from "./symbols.ts";
export { move, type Transferable } from "./movable.ts";

/** Of Piscina, whose behaviour this is. */
export const version: string = Piscina.version;
/** Whether this is a thread of a Piscina. */
export const isWorkerThread: boolean = isPiscinaThread();
/** In a task file: the option `workerData` of the pool. */
export const workerData: unknown = dataOfThread();

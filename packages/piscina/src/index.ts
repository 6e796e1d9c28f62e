import { Piscina as PiscinaClass } from "./piscina.ts";
import { dataOfThread, isPiscinaThread } from "./thread-mark.ts";

/** By the file: tsx makes a second module of an ES module that is both imported and required. */
const key: unique symbol = Symbol.for(`skein.piscina.class ${import.meta.url}`);
const holder = globalThis as { [key]?: typeof PiscinaClass };

export const Piscina: typeof PiscinaClass = (holder[key] ??= PiscinaClass);
// oxlint-disable-next-line typescript/no-explicit-any -- the defaults of Piscina's own declarations
export type Piscina<T = any, R = any> = PiscinaClass<T, R>;
export { Piscina as default };
export type { CloseOptions, RunOptions } from "./piscina.ts";
export type { PiscinaOptions } from "./options.ts";
export type { PiscinaHistogram, PiscinaHistogramSummary } from "./histogram.ts";
export {
  type AbortSignalAny,
  type AbortSignalEventEmitter,
  type AbortSignalEventTarget,
} from "./abort-signal.ts";
export type { PiscinaLoadBalancer } from "./load-balancer.ts";
export type { PiscinaWorker } from "./worker-record.ts";
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

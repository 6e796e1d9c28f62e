/** Without its queue, its default, everything goes to the workers at once; with it, the main thread holds back what is too much. */
import { fileURLToPath } from "node:url";
import {
  DynamicThreadPool,
  FixedThreadPool,
  type ThreadPoolOptions,
  type WorkerChoiceStrategy,
} from "poolifier";
import { written } from "./piscina.ts";
import { jobFile, type JobName, type JobPool, type Product } from "./product.ts";

export interface PoolifierSettings {
  readonly dynamic?: true;
  /** With the tasks queue; so many at once on a worker. */
  readonly queue?: number;
  readonly strategy?: WorkerChoiceStrategy;
  readonly enableEvents?: false;
}

export function poolifier(settings: PoolifierSettings = {}): Product {
  const { dynamic, queue, strategy, enableEvents } = settings;
  const options: ThreadPoolOptions = {
    ...(queue === undefined ? {} : { enableTasksQueue: true, tasksQueueOptions: { concurrency: queue } }),
    ...(strategy === undefined ? {} : { workerChoiceStrategy: strategy }),
    ...(enableEvents === undefined ? {} : { enableEvents }),
  };
  const parts = [
    dynamic === true ? "dynamic" : "fixed",
    ...(queue === undefined ? [] : [`queue of ${queue}`]),
    ...(strategy === undefined ? [] : [strategy.toLowerCase().replaceAll("_", " ")]),
    ...(enableEvents === undefined ? [] : ["events off"]),
  ];
  return {
    name: `poolifier, ${parts.join(", ")}`,
    kind: "peer",
    product: "poolifier",
    configuration: `${dynamic === true ? "DynamicThreadPool" : "FixedThreadPool"}; ${written(options) || "defaults: no queue, least used"}`,
    async open(threads: number, job: JobName): Promise<JobPool> {
      const file = fileURLToPath(jobFile("poolifier"));
      const pool =
        dynamic === true
          ? new DynamicThreadPool(1, Math.max(2, threads), file, options)
          : new FixedThreadPool(threads, file, options);
      await Promise.resolve();
      return {
        run: (value, transfer) =>
          transfer === undefined
            ? pool.execute(value, job)
            : pool.execute(value, job, undefined, [...transfer]),
        close: () => pool.destroy(),
      };
    },
  };
}

/** One in flight per worker is fixed. What can be set is how many workers, threads or processes, and the order of its queue. */
import { fileURLToPath } from "node:url";
import workerpool from "workerpool";
import { jobFile, type JobName, type JobPool, type Product } from "./product.ts";

export function workerPool(workerType: "auto" | "thread" = "thread"): Product {
  return {
    name: workerType === "thread" ? "workerpool" : `workerpool, workerType ${workerType}`,
    kind: "peer",
    product: "workerpool",
    configuration: `workerType: "${workerType}"`,
    async open(threads: number, job: JobName): Promise<JobPool> {
      const pool = workerpool.pool(fileURLToPath(jobFile("workerpool")), {
        minWorkers: threads,
        maxWorkers: threads,
        workerType,
      });
      await Promise.resolve();
      return {
        // Its promises are of a kind of their own, and as good as any to await.
        run: (value, transfer) =>
          pool.exec(
            job,
            [value],
            transfer === undefined ? {} : { transfer: [...transfer] },
          ) as PromiseLike<unknown>,
        close: () => pool.terminate(true) as PromiseLike<unknown>,
      };
    },
  };
}

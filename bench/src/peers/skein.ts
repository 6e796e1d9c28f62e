/** Ours. Nothing is tuned but the number of threads it may have, unless the name says so. */
import { type RunOptions, ThreadPool, type ThreadPoolOptions } from "@skein/pool";
import { jobFile, type JobName, type JobPool, type Product } from "./product.ts";

type Jobs = Record<JobName, (value: unknown) => unknown>;

function configuration(
  name: string,
  text: string,
  options: RunOptions = {},
  poolOptions: (threads: number) => ThreadPoolOptions = (threads) => ({ maxThreads: threads }),
): Product {
  return {
    name,
    kind: "skein",
    product: "skein",
    configuration: text,
    async open(threads: number, job: JobName): Promise<JobPool> {
      const pool = new ThreadPool(poolOptions(threads));
      // Only the job that moves needs the worker's side of the pool.
      const jobs = pool.module<Jobs>(jobFile(job === "echoMoved" ? "skein" : "work"), options);
      const call = jobs[job];
      await Promise.resolve();
      return {
        run: (value, transfer) =>
          transfer === undefined ? call(value) : pool.run(call, [value], { transfer }),
        close: () => pool.close(),
      };
    },
  };
}

export const skein: Product = configuration("skein", "defaults");
export const skeinInline: Product = configuration("skein, inline", 'continuations: "inline"', {
  continuations: "inline",
});
export const skeinNoFlow: Product = configuration("skein, flowContext off", "flowContext: false", {
  flowContext: false,
});
/** More threads than cores are started for jobs that wait, and only while cores are idle; here all are. */
export const skeinAllThreads: Product = configuration(
  "skein, all threads",
  "minThreads as high as maxThreads",
  {},
  (threads) => ({ minThreads: threads, maxThreads: threads }),
);

export const skeinProcesses: Product = {
  name: "skein, processes",
  kind: "skein",
  product: "skein",
  configuration: "ProcessPool, defaults",
  async open(threads: number, job: JobName): Promise<JobPool> {
    // Commits that `--against` names may not have it.
    const { ProcessPool } = await import("@skein/pool/process");
    const pool = new ProcessPool({ maxThreads: threads });
    const call = pool.module<Jobs>(jobFile("work"))[job];
    return { run: (value) => call(value), close: () => pool.close() };
  },
};

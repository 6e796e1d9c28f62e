/** Not a pool: one proxied object per worker, called in turns. */
import { Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { jobFile, type JobName, type JobPool, type Product } from "./product.ts";

type Remote = Record<JobName, (value: unknown) => Promise<unknown>>;

export const comlink: Product = {
  name: "comlink",
  kind: "peer",
  product: "comlink",
  configuration: "one proxy per worker, round robin",
  async open(threads: number, job: JobName): Promise<JobPool> {
    const workers = Array.from({ length: threads }, () => new Worker(jobFile("comlink")));
    const calls = workers.map((worker) => {
      const remote = Comlink.wrap(nodeEndpoint(worker)) as unknown as Remote;
      // Taken once: each `remote.name` makes another proxy.
      return remote[job];
    });
    let turn = 0;
    await Promise.resolve();
    return {
      run(value, transfer) {
        turn = turn + 1 === threads ? 0 : turn + 1;
        const sent = transfer === undefined ? value : Comlink.transfer(value as object, [...transfer]);
        return calls[turn]!(sent);
      },
      close: () => Promise.all(workers.map((worker) => worker.terminate())),
    };
  },
};

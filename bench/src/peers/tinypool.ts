import { Tinypool } from "tinypool";
import { jobFile, type JobName, type JobPool, type Product } from "./product.ts";
import { written } from "./piscina.ts";

export interface TinypoolSettings {
  readonly concurrentTasksPerWorker?: number;
  readonly useAtomics?: false;
  readonly runtime?: "child_process";
  readonly serialization?: "advanced";
}

export function tinypool(settings: TinypoolSettings = {}): Product {
  const { concurrentTasksPerWorker: inFlight, useAtomics, runtime, serialization } = settings;
  const parts = [
    ...(runtime === undefined ? [] : ["processes"]),
    ...(serialization === undefined ? [] : [serialization]),
    ...(inFlight === undefined ? [] : [`${inFlight} in flight`]),
    ...(useAtomics === false ? ["atomics off"] : []),
  ];
  return {
    name: `tinypool, ${parts.join(", ") || "default"}`,
    kind: "peer",
    product: "tinypool",
    configuration: parts.length === 0 ? "defaults: 1 in flight" : written(settings),
    async open(threads: number, job: JobName): Promise<JobPool> {
      const pool = new Tinypool({
        filename: jobFile("tinypool").href,
        name: job,
        minThreads: threads,
        maxThreads: threads,
        ...settings,
      });
      await Promise.resolve();
      return {
        run: (value, transfer) =>
          (transfer === undefined
            ? pool.run(value)
            : pool.run(value, { transferList: [...transfer] })) as Promise<unknown>,
        close: () => pool.destroy(),
      };
    },
  };
}

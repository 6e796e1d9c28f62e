import { Piscina } from "piscina";
import { jobFile, type JobName, type JobPool, type Product } from "./product.ts";

export interface PiscinaSettings {
  readonly concurrentTasksPerWorker?: number;
  readonly atomics?: "async" | "disabled";
  readonly recordTiming?: false;
}

export function piscina(settings: PiscinaSettings = {}): Product {
  const { concurrentTasksPerWorker: inFlight, ...others } = settings;
  const parts = [
    ...(inFlight === undefined ? [] : [`${inFlight} in flight`]),
    ...Object.entries(others).map(([key, value]) => `${key} ${value === false ? "off" : value}`),
  ];
  return {
    name: `piscina, ${parts.join(", ") || "default"}`,
    kind: "peer",
    product: "piscina",
    configuration: JSON.stringify(settings) === "{}" ? "defaults: 1 in flight" : written(settings),
    async open(threads: number, job: JobName): Promise<JobPool> {
      const pool = new Piscina({
        filename: jobFile("piscina").href,
        name: job,
        minThreads: threads,
        maxThreads: threads,
        ...settings,
      });
      await Promise.resolve();
      return {
        run: (value, transfer) =>
          transfer === undefined ? pool.run(value) : pool.run(value, { transferList: [...transfer] }),
        close: () => pool.destroy(),
      };
    },
  };
}

/** As one would write it in code. */
export function written(settings: object): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join(", ");
}

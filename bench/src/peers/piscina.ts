import { Piscina } from "piscina";
import { jobFile, type JobName, type JobPool, type Product } from "./product.ts";

export interface PiscinaSettings {
  readonly concurrentTasksPerWorker?: number;
  readonly atomics?: "async" | "disabled";
  readonly recordTiming?: false;
}

/** What is called of either class. */
interface PiscinaPool {
  run(task: unknown, options?: { readonly transferList?: ArrayBuffer[] }): Promise<unknown>;
  destroy(): Promise<void>;
}

interface PoolOptions extends PiscinaSettings {
  readonly filename: string;
  readonly name: string;
  readonly minThreads: number;
  readonly maxThreads: number;
}

export function piscina(settings: PiscinaSettings = {}): Product {
  return productOf((options) => new Piscina(options), "piscina", "piscina", settings);
}

/** @param file Of the tasks: bench/src/jobs. */
export function productOf(
  make: (options: PoolOptions) => PiscinaPool,
  name: "piscina" | "@skein/piscina",
  file: string,
  settings: PiscinaSettings,
): Product {
  const { concurrentTasksPerWorker: inFlight, ...others } = settings;
  const parts = [
    ...(inFlight === undefined ? [] : [`${inFlight} in flight`]),
    ...Object.entries(others).map(([key, value]) => `${key} ${value === false ? "off" : value}`),
  ];
  return {
    name: `${name}, ${parts.join(", ") || "default"}`,
    kind: name === "piscina" ? "peer" : "skein",
    product: name === "piscina" ? name : "skein",
    configuration: JSON.stringify(settings) === "{}" ? "defaults: 1 in flight" : written(settings),
    async open(threads: number, job: JobName): Promise<JobPool> {
      const pool = make({
        filename: jobFile(file).href,
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

/** What PiscinaEngine uses of a Piscina, version 5: its public interface, so that any copy of it will do. */
import type { Worker } from "node:worker_threads";
import { argumentTypeError } from "@skein/context/errors";

export interface PiscinaRunOptions {
  filename: string;
  name: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- Piscina has a type of its own for it
  transferList: any[];
  signal?: AbortSignal;
}

export interface PiscinaPool {
  // oxlint-disable-next-line typescript/no-explicit-any -- it is Piscina's type argument
  run(task: any, options: PiscinaRunOptions): Promise<any>;
  on(event: "workerCreate" | "workerDestroy", listener: (worker: { readonly id: number }) => void): unknown;
  readonly threads: Worker[];
  readonly options: {
    readonly maxThreads: number;
    readonly concurrentTasksPerWorker: number;
    readonly maxQueue: number;
  };
}

/** @throws TypeError for what is no Piscina. */
export function checkPool(pool: unknown): asserts pool is PiscinaPool {
  const { run, on, threads, options } = (pool ?? {}) as Partial<PiscinaPool>;
  const isPool = typeof run === "function" && typeof on === "function" && Array.isArray(threads);
  if (typeof pool !== "object" || !isPool || typeof options?.maxThreads !== "number")
    throw argumentTypeError("piscina", "a Piscina: `new PiscinaEngine(new Piscina())`", pool);
}

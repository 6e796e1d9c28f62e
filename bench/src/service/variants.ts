/** The ways to serve heavy requests. Plain data: the server's process gets it as text. */
import { availableParallelism } from "node:os";

/** Where the heavy work is done. */
export type Place =
  | { readonly pool: "none" }
  | { readonly pool: "piscina"; readonly options: PiscinaSettings }
  | { readonly pool: "skein"; readonly options: SkeinSettings; readonly continuations: Policy };

export type Policy = "inline" | "asynchronous" | "yield";

export interface PiscinaSettings {
  readonly minThreads?: number;
  readonly maxThreads?: number;
  readonly idleTimeout?: number;
  readonly concurrentTasksPerWorker?: number;
  readonly atomics?: "sync" | "async" | "disabled";
  readonly niceIncrement?: number;
}

export interface SkeinSettings {
  readonly maxThreads?: number;
  readonly spinLimitUs?: number;
  readonly lowerPriority?: boolean;
}

export interface Variant {
  readonly name: string;
  readonly configuration: string;
  readonly place: Place;
}

export const noPool: Variant = {
  name: "no pool",
  configuration: "the handler does the work itself",
  place: { pool: "none" },
};

export const skeinVariants: readonly Variant[] = (["asynchronous", "inline", "yield"] as const).map(
  (continuations) => ({
    name: `skein, ${continuations}`,
    configuration: `continuations: "${continuations}"; else default`,
    place: { pool: "skein", options: {}, continuations },
  }),
);

export const piscinaDefault: Variant = {
  name: "piscina, default",
  configuration: "default",
  place: { pool: "piscina", options: {} },
};

const cores = availableParallelism();

export const piscinaTuned: Variant = {
  name: "piscina, tuned",
  configuration: `minThreads = maxThreads = ${cores}, niceIncrement: 10`,
  place: { pool: "piscina", options: { minThreads: cores, maxThreads: cores, niceIncrement: 10 } },
};

/** For the report. What `candidates.ts` holds. */
export const TRIED: string =
  "Tried for the tuned piscina: one thread, a thread per core, concurrentTasksPerWorker above one, each of the `atomics` modes, niceIncrement, and " +
  "pairs of them (`node bench/src/service/try.ts` measures all).";

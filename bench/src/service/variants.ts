/** The ways to serve heavy requests. Plain data: the server's process gets it as text. */
import { availableParallelism } from "node:os";

/** Where the heavy work is done. */
export type Place =
  | { readonly pool: "none" }
  | { readonly pool: "piscina"; readonly options: PiscinaSettings }
  | {
      readonly pool: "skein";
      readonly options: SkeinSettings;
      readonly continuations: Policy;
      /** false: the id is passed by hand, as with the others. Shows what the context costs. */
      readonly context?: boolean;
    };

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
const perCore = { minThreads: cores, maxThreads: cores };

export const piscinaTuned: Variant = {
  name: "piscina, thread per core",
  configuration: `minThreads = maxThreads = ${cores}`,
  place: { pool: "piscina", options: perCore },
};

/** On a machine that is full, the system then prefers the thread with the event loop. */
export const piscinaNiced: Variant = {
  name: "piscina, thread per core, lower priority",
  configuration: `minThreads = maxThreads = ${cores}, niceIncrement: 10`,
  place: { pool: "piscina", options: { ...perCore, niceIncrement: 10 } },
};

/** The same for ours, which has no option for it: a line in the module that each thread imports first. */
export const skeinNiced: Variant = {
  name: "skein, lower priority",
  configuration: "initialize: a module that calls os.setPriority(10)",
  place: { pool: "skein", options: { lowerPriority: true }, continuations: "asynchronous" },
};

/** For the report. What `candidates.ts` holds, and how far that went. */
export const TRIED: string =
  "Piscina stands here by default and with a thread per core, in full mode also at a lower priority; the best of them counts. Other settings (one " +
  "thread, several tasks in flight per thread, each of the `atomics` modes, pairs of these) were run on a busy machine only, where they could not " +
  "be told apart: none was chosen by measurement. `node bench/src/service/try.ts` measures all of them.";

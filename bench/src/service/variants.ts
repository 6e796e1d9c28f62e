/** The ways to serve heavy requests. Plain data: the server's process gets it as text. */

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

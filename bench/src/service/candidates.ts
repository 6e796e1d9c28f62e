/** Settings to choose the tuned ones from; `try.ts` measures them side by side, on a quiet machine. */
import {
  noPool,
  piscinaDefault,
  skeinVariants,
  type PiscinaSettings,
  type SkeinSettings,
  type Variant,
} from "./variants.ts";

function piscina(options: PiscinaSettings): Variant {
  const configuration = JSON.stringify(options);
  return { name: `piscina ${configuration}`, configuration, place: { pool: "piscina", options } };
}

function skein(options: SkeinSettings): Variant {
  const configuration = JSON.stringify(options);
  return {
    name: `skein ${configuration}`,
    configuration,
    place: { pool: "skein", options, continuations: "asynchronous" },
  };
}

const two = { minThreads: 2, maxThreads: 2 };

export const candidates: readonly Variant[] = [
  noPool,
  piscinaDefault,
  ...skeinVariants,
  piscina({ minThreads: 1, maxThreads: 1 }),
  piscina(two),
  piscina({ ...two, concurrentTasksPerWorker: 2 }),
  piscina({ ...two, concurrentTasksPerWorker: 8 }),
  piscina({ ...two, atomics: "async" }),
  piscina({ ...two, atomics: "disabled" }),
  piscina({ ...two, niceIncrement: 10 }),
  piscina({ ...two, atomics: "disabled", niceIncrement: 10 }),
  skein({ maxThreads: 1 }),
  skein({ spinLimitUs: 0 }),
  {
    ...skein({}),
    name: "skein, no context",
    place: { pool: "skein", options: {}, continuations: "asynchronous", context: false },
  },
  skein({ lowerPriority: true }),
];

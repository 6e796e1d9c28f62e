/**
 * Whether this is a pool thread, told by Node's environment data, so that it is known from the first line that runs in it: preloads run
 * before any module of ours. `workerData` is the user's. Environment data is inherited, so the mark is there only while the host makes
 * the thread, and the first module of ours on the thread takes it away: a `Worker` that is made there is not one of the pool. To a process of
 * a ProcessPool a variable of its environment tells the same.
 */
import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { hasOwnProperty, process, reflectDefine } from "../shared/intrinsics.ts";

const MARK = "skein.generation";
/** In the environment of a process of a pool, until its first module has taken it away. */
export const GENERATION_VARIABLE = "SKEIN_POOL_GENERATION";

// Under a registered symbol: another copy of this package may have taken it away.
const key: unique symbol = Symbol.for("skein.pool.generation");
const holder = globalThis as { readonly [key]?: number };

/**
 * 0: not a pool thread. 1: a thread of a pool that was made outside of pool threads. n + 1: of one that was made on a thread of
 * generation n.
 */
export const generation: number = takeGeneration();

/** Calls `make`, which makes a `Worker`: that is a pool thread. */
export function marked<T>(make: () => T): T {
  setEnvironmentData(MARK, generation + 1);
  try {
    return make();
  } finally {
    setEnvironmentData(MARK, undefined);
  }
}

function takeGeneration(): number {
  if (hasOwnProperty(holder, key)) return holder[key]!;
  const mark = takeVariable() ?? getEnvironmentData(MARK);
  if (typeof mark !== "number") return 0;
  setEnvironmentData(MARK, undefined);
  reflectDefine(holder, key, { __proto__: null, value: mark } as PropertyDescriptor);
  return mark;
}

/** Of a process of a pool. What it starts itself does not inherit it. */
function takeVariable(): number | null {
  const mark = process.env[GENERATION_VARIABLE];
  if (mark === undefined) return null;
  delete process.env[GENERATION_VARIABLE];
  return Number(mark);
}

/** Waiting with a token that lives long, for tasks that come and go: what stays behind on the token. */
import { extension, measure, race, waitAsync } from "../../../../packages/scheduling/bench/wait-variants.ts";
import type { Round } from "../cost.ts";

/** A signal looks at all its listeners before it adds one: a promise race becomes slower with every wait. */
export const WAITS = 5000;

export function rounds(): Record<"waitAsync" | "whenAny" | "continuation" | "Promise.race", Round> {
  const ours = (wait: Parameters<typeof measure>[2]) => async (): Promise<Record<string, number>> => {
    const { ns, retained } = await measure("", "the task", wait, WAITS);
    return { ns, retained: Math.round(retained) };
  };
  return {
    waitAsync: ours(waitAsync),
    whenAny: ours(race),
    continuation: ours(extension),
    "Promise.race": promiseRace,
  };
}

/** As it is written by hand: a promise that the signal rejects, and one listener more on the signal for each wait. */
async function promiseRace(): Promise<Record<string, number>> {
  const { signal } = new AbortController();
  const before = await heapBytes();
  const started = performance.now();
  for (let i = 0; i < WAITS; i++) {
    const { promise, resolve } = Promise.withResolvers<number>();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    void Promise.race([promise, aborted]);
    resolve(1);
    // Otherwise all of them would be under way at once.
    if (i % 100 === 0) await Promise.resolve();
  }
  const ns = ((performance.now() - started) * 1e6) / WAITS;
  const retained = (await heapBytes()) - before;
  if (signal.aborted) throw new Error("ended early");
  return { ns, retained: Math.max(0, Math.round(retained / WAITS)) };
}

async function heapBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

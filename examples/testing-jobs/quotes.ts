/** The code under test. Its engine and its clock are parameters, so that a test can replace them. */
import type { JobEngine } from "@skein/pool";
import { Task } from "@skein/scheduling";
import type * as Prices from "./price.jobs.ts";

export type Quote = (item: string, kilos: number) => Task<number>;

/** Asks a job for the price of an order. When that fails it tries again, one second later, then two, then four. */
export function quotes(engine: JobEngine, delay: (ms: number) => Task<void> = (ms) => Task.delay(ms)): Quote {
  const prices = engine.module<typeof Prices>(new URL("./price.jobs.ts", import.meta.url));
  return Task.async(function* (item: string, kilos: number) {
    for (let waitMs = 1000; ; waitMs *= 2) {
      try {
        return yield* engine.run(prices.priceOf, [item, kilos]);
      } catch (error) {
        if (error instanceof RangeError || waitMs > 4000) throw error;
      }
      yield* delay(waitMs);
    }
  });
}

import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LINE_WORDS } from "../../src/shared/layout.ts";
import { EMPTY, Ring } from "../../src/shared/ring.ts";
import type { RingData } from "./stress/ring.worker.ts";
import { Cast, STRESS_MS, TEST_TIMEOUT_MS } from "./stress/stress.ts";
import { type Tally, total } from "./stress/tally.ts";

const CELLS = 4;
let cast: Cast;
let words: Int32Array;
let ring: Ring;

beforeEach(() => {
  cast = new Cast(new URL("./stress/ring.worker.ts", import.meta.url));
  words = new Int32Array(new SharedArrayBuffer((2 * LINE_WORDS + CELLS) * 4));
  ring = new Ring(words, 0, CELLS);
  // Wraps around after a moment: laps, then counters.
  ring.initialize(-200_000);
});
afterEach(() => cast[Symbol.asyncDispose]());

function play(
  role: "producer" | "consumer" | "mixer",
  { producer = 0, alone = false, extra = 0 }: Partial<RingData>,
): Promise<Tally> {
  return cast.play(role, { words, cells: CELLS, producer, alone, extra } satisfies RingData);
}

async function expectSameInAndOut(producers: number, consumers: number): Promise<Tally[]> {
  const into = Array.from({ length: producers }, (_, producer) => play("producer", { producer }));
  const out = Array.from({ length: consumers }, () =>
    play("consumer", { alone: producers + consumers === 2 }),
  );
  cast.stopAfter(STRESS_MS);
  const put = await Promise.all(into);
  // Only now is nothing to come any more.
  Atomics.store(cast.stop, 0, 2);
  const got = await Promise.all(out);
  const label = `seed ${cast.seed}`;
  expect({ label, ...total(got) }).toEqual({ label, ...total(put) });
  for (const tally of [...put, ...got])
    expect({ label, disorder: tally.disorder }).toEqual({ label, disorder: 0 });
  expect(total(put).count).toBeGreaterThan(0);
  return [...put, ...got];
}

describe("Ring, under stress", { timeout: TEST_TIMEOUT_MS }, () => {
  it("spsc: everything arrives once and in order", async () => {
    const tallies = await expectSameInAndOut(1, 1);
    expect(tallies).toHaveLength(2);
  });

  it("mpmc, noStarvation: everything arrives once, positions only grow, and every thread gets its turn", async () => {
    const tallies = await expectSameInAndOut(2, 2);
    for (const tally of tallies) expect(tally.count).toBeGreaterThan(0);
  });

  it("stampede: three threads that push and pop at once end with what they put in", async () => {
    const mixers = [0, 1, 2].map((producer) => play("mixer", { producer, extra: 1000 }));
    await Promise.all(mixers);
    const results = cast.workers.map(async (worker) => ((await once(worker, "message")) as [Tally])[0]);
    cast.stopAfter(STRESS_MS);
    const left: number[] = [];
    const balance = total(await Promise.all(results));
    for (let slot = ring.pop(); slot !== EMPTY; slot = ring.pop()) left.push(slot);
    expect({ seed: cast.seed, count: left.length, sum: left.reduce((a, b) => (a + b) | 0, 0) }).toEqual({
      seed: cast.seed,
      count: balance.count,
      sum: balance.sum,
    });
  });

  it("teardown: whichever thread is terminated, wherever it was, the others go on", async () => {
    for (const end = performance.now() + STRESS_MS; performance.now() < end;) {
      const first = cast.workers.length;
      await Promise.all([0, 1, 2].map((producer) => play("mixer", { producer, extra: 20_000 })));
      const [victim, ...others] = cast.workers.slice(first);
      const results = others.map((worker) => once(worker, "message"));
      await victim!.terminate();
      Atomics.store(cast.stop, 0, 1);
      // Each of the two does 20 000 operations more.
      await Promise.all(results);
      Atomics.store(cast.stop, 0, 0);
      const left: number[] = [];
      for (let slot = ring.pop(); slot !== EMPTY; slot = ring.pop()) left.push(slot);
      expect(left.length).toBeLessThanOrEqual(CELLS);
      expect(ring.isEmpty()).toBe(true);
      const tickets = new Int32Array(1);
      expect([1, 2, 3, 4, 5].map((slot) => ring.push(slot, tickets, 0))).toEqual([
        true,
        true,
        true,
        true,
        false,
      ]);
      expect([ring.pop(), ring.pop(), ring.pop(), ring.pop(), ring.pop()]).toEqual([1, 2, 3, 4, EMPTY]);
    }
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Deque, EMPTY } from "../../src/shared/deque.ts";
import { LINE_WORDS } from "../../src/shared/layout.ts";
import type { DequeData } from "./stress/deque.worker.ts";
import { Cast, STRESS_MS, TEST_TIMEOUT_MS } from "./stress/stress.ts";
import { type Tally, total } from "./stress/tally.ts";

const CELLS = 4;
const NEXT_OWNERS_SLOT = 120_000;
let cast: Cast;
let words: Int32Array;
let deque: Deque;

beforeEach(() => {
  cast = new Cast(new URL("./stress/deque.worker.ts", import.meta.url));
  words = new Int32Array(new SharedArrayBuffer((2 * LINE_WORDS + CELLS) * 4));
  deque = new Deque(words, 0, CELLS);
});
afterEach(() => cast[Symbol.asyncDispose]());

type Owned = Record<"pushed" | "popped", Tally> & { refused: number };
type Stolen = Tally & { contended: number; nextOwners: number };

describe("Deque, under stress", { timeout: TEST_TIMEOUT_MS }, () => {
  it.each([
    [2, 2 ** 31],
    [3, 2 ** 32],
  ])("spmc: %i thieves: everything is taken once, positions pass %i", async (thieves, wrap) => {
    // The counters wrap around after a moment.
    const start = (wrap - 20_000) | 0;
    deque.initialize(start);
    const data = { words, cells: CELLS, nextOwnersSlot: NEXT_OWNERS_SLOT } satisfies DequeData;
    const stealing = Array.from({ length: thieves }, () => cast.play<Stolen>("thief", data));
    const owning = cast.play<Owned>("owner", data);
    while (((Atomics.load(words, 0) - start) | 0) < 40_000) await new Promise(setImmediate);
    cast.stopAfter(STRESS_MS);
    const { pushed, popped, refused } = await owning;
    // Only now is nothing to come any more.
    Atomics.store(cast.stop, 0, 2);
    const stolen = await Promise.all(stealing);
    const { seed } = cast;
    expect({ seed, ...total([popped, ...stolen]) }).toEqual({ seed, ...total([pushed]) });
    expect({ seed, disorder: stolen.map((tally) => tally.disorder) }).toEqual({
      seed,
      disorder: stolen.map(() => 0),
    });
    expect(deque.isEmpty()).toBe(true);
    // They met: full, and empty. At the same entry only where as many cores are free; the model test has that.
    expect(Math.min(refused, popped.count + total(stolen).count)).toBeGreaterThan(0);
    expect(pushed.count).toBeGreaterThan(40_000);
  });

  it("teardown: whichever thread is terminated, wherever it was, the next owner begins with a whole deque", async () => {
    const tickets = new Int32Array(1);
    deque.initialize(-100);
    for (const end = performance.now() + STRESS_MS; performance.now() < end;) {
      Atomics.store(cast.stop, 0, 0);
      const first = cast.workers.length;
      const data = { words, cells: CELLS, nextOwnersSlot: NEXT_OWNERS_SLOT } satisfies DequeData;
      const owning = cast.play<Owned>("owner", data);
      const stealing = [0, 1].map(() => cast.play<Stolen>("thief", data));
      const [owner, thief, other] = cast.workers.slice(first);
      owning.catch(() => {});
      stealing[0]!.catch(() => {});
      const top = Atomics.load(words, 0);
      while (Atomics.load(words, 0) === top) await new Promise(setImmediate);
      await Promise.all([owner!.terminate(), thief!.terminate()]);
      // The other thief goes on while the next owner begins, of whose entries none may be lost.
      deque.restart();
      let taken = 0;
      for (let pushed = 0; pushed < 20_000;) {
        if (deque.push(NEXT_OWNERS_SLOT, tickets, 0)) pushed++;
        if (deque.pop() !== EMPTY) taken++;
      }
      Atomics.store(cast.stop, 0, 2);
      const { disorder, nextOwners } = (await stealing[1])!;
      expect({ disorder, taken: taken + nextOwners }).toEqual({ disorder: 0, taken: 20_000 });
      await other!.terminate();
      expect([deque.isEmpty(), deque.pop(), deque.steal()]).toEqual([true, EMPTY, EMPTY]);
      for (let slot = 0; slot < CELLS; slot++) expect(deque.push(slot, tickets, 0)).toBe(true);
      expect(deque.push(4, tickets, 0)).toBe(false);
      expect([deque.steal(), deque.pop(), deque.pop(), deque.steal()]).toEqual([0, 3, 2, 1]);
    }
  });
});

import { describe, expect, it } from "vitest";
import { Task, TaskCompletionSource } from "../src/index.ts";

/** Counts turns of the event loop until stopped. */
function countTurns(): { stop(): number } {
  let turns = 0;
  let handle = setImmediate(function count() {
    turns++;
    handle = setImmediate(count);
  });
  return {
    stop() {
      clearImmediate(handle);
      return turns;
    },
  };
}

describe("policy yield", () => {
  it("lets the event loop turn during a burst of results, where inline and asynchronous do not", async () => {
    const turnsOf = async (continuations: "inline" | "asynchronous" | "yield"): Promise<number> => {
      const sources = Array.from(
        { length: 20_000 },
        () => new TaskCompletionSource<number>({ continuations }),
      );
      const done = sources.map((source) => source.task.then((value) => value));
      const counter = countTurns();
      for (const source of sources) source.setResult(1);
      await done.at(-1);
      return counter.stop();
    };
    expect(await turnsOf("inline")).toBe(0);
    expect(await turnsOf("asynchronous")).toBe(0);
    expect(await turnsOf("yield")).toBeGreaterThan(10);
  });

  it("shrinks its slices when the native continuations they resume are expensive", async () => {
    const busy = (ms: number): void => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    };
    const sources = Array.from(
      { length: 60 },
      () => new TaskCompletionSource<number>({ continuations: "yield" }),
    );
    const consumers = sources.map(async (source) => {
      await source.task;
      busy(2);
    });
    await Task.yield();
    const counter = countTurns();
    for (const source of sources) source.setResult(1);
    await Promise.all(consumers);
    // Slices that stay at the eight of a burst's beginning would be eight turns; four milliseconds fit two items.
    expect(counter.stop()).toBeGreaterThan(15);
  });

  it("keeps the order over slices, with items added meanwhile at the end", async () => {
    const log: number[] = [];
    const sources = Array.from(
      { length: 3000 },
      () => new TaskCompletionSource<number>({ continuations: "yield" }),
    );
    const late = new TaskCompletionSource<number>({ continuations: "yield" });
    const all = sources.map((source) => source.task.then((value) => log.push(value)));
    const last = late.task.then(() => log.push(-1));
    void sources[0]?.task.then(() => late.setResult(0));
    sources.forEach((source, index) => source.setResult(index));
    await last;
    await Task.whenAll(all);
    expect(log).toEqual([...sources.keys(), -1]);
  });
});

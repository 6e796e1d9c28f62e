import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { elapsedUs, TIMESTAMP_BITS, timestampUs } from "../../src/shared/clock.ts";

const RANGE_US = 2 ** TIMESTAMP_BITS;
const DAY_US = 24 * 3600e6;

describe("clock", () => {
  it("goes on, in whole microseconds of the range that slots have", () => {
    const first = timestampUs();
    const second = timestampUs();
    expect(elapsedUs(first, second)).toBe(second - first);
    expect(second).toBeGreaterThanOrEqual(first);
    expect(Number.isInteger(first) && first > 0 && first < RANGE_US).toBe(true);
  });

  it.each([1, 71 * 60e6, DAY_US, 40 * DAY_US])("measures %i us, also where the range ends", (us) => {
    for (const since of [1, DAY_US, RANGE_US - 1, RANGE_US - us]) {
      expect(elapsedUs(since, (since + us) % RANGE_US)).toBe(us);
    }
  });

  it("is never before: two threads that read it at once measure nothing", () => {
    expect(elapsedUs(5, 4)).toBe(0);
    expect(elapsedUs(1, RANGE_US - 1)).toBe(0);
  });

  it("is one clock for all threads", async () => {
    const clock = JSON.stringify(new URL("../../src/shared/clock.ts", import.meta.url).href);
    const before = timestampUs();
    const worker = new Worker(
      `import(${clock}).then(({ timestampUs }) => require("node:worker_threads").parentPort.postMessage(timestampUs()));`,
      { eval: true },
    );
    const there = await new Promise<number>((resolve) => worker.once("message", resolve));
    const after = timestampUs();
    await worker.terminate();
    // Two readings that a message lies between: a millisecond is more than the clocks differ by.
    expect(there).toBeGreaterThan(before - 1000);
    expect(there).toBeLessThan(after + 1000);
  });
});

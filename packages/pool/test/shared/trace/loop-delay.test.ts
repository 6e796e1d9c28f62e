import { describe, expect, it } from "vitest";
import {
  createLoopDelayBuffer,
  LoopDelayReader,
  LoopDelayWriter,
} from "../../../src/shared/trace/loop-delay.ts";

const CAPACITY = 4;
/** Not before anybody looks. */
const LATER_US = 1e9;

describe("LoopDelay", () => {
  it("tells the longest delay since the last look, and nothing before the first turn", () => {
    const buffer = createLoopDelayBuffer(CAPACITY);
    const writer = new LoopDelayWriter(buffer);
    const reader = new LoopDelayReader(buffer);
    expect(reader.read(0)).toBeNull();
    for (const delay of [7, 900, -3]) writer.tick(delay, LATER_US);
    expect(reader.read(0)).toBe(900);
    expect(reader.read(0)).toBe(0);
  });

  it("tells how late a loop is that stands still, as long as it does", () => {
    const buffer = createLoopDelayBuffer(CAPACITY);
    const writer = new LoopDelayWriter(buffer);
    const reader = new LoopDelayReader(buffer);
    writer.tick(30, 60_000);
    expect([50_000, 5_060_500, 6_060_500].map((nowUs) => reader.read(nowUs))).toEqual([
      30, 5_000_000, 6_000_000,
    ]);
    writer.tick(6_100_000, LATER_US);
    expect(reader.read(6_160_000)).toBe(6_100_000);
    expect(reader.read(6_160_000)).toBe(0);
  });

  it("goes on with another writer, and a reader that comes later is told what comes then", () => {
    const buffer = createLoopDelayBuffer(CAPACITY);
    const first = new LoopDelayReader(buffer);
    new LoopDelayWriter(buffer).tick(50, LATER_US);
    const second = new LoopDelayReader(buffer);
    new LoopDelayWriter(buffer).tick(40, LATER_US);
    expect([first.read(0), second.read(0)]).toEqual([50, 40]);
  });

  it.each([0, 2 ** 31 - 2, 2 ** 32 - 2])("leaves out what was overwritten: after %i turns", (turns) => {
    const buffer = createLoopDelayBuffer(CAPACITY);
    // TICKS of a loop that has turned for long, and a clock in the same state.
    new Int32Array(buffer)[0] = turns | 0;
    const nowUs = turns * 1000;
    const writer = new LoopDelayWriter(buffer);
    const reader = new LoopDelayReader(buffer);
    for (const delay of [5000, 10, 40, 20, 30]) writer.tick(delay, nowUs + 10_000);
    expect(reader.read(nowUs)).toBe(40);
    expect(reader.read(nowUs + 12_000)).toBe(2000);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import {
  type Counter,
  COUNTERS,
  Statistics,
  STATISTICS_WORDS,
  StatisticsReader,
} from "../../src/shared/statistics.ts";
import { bucketOf, middleOf } from "../../src/shared/time-histogram.ts";

const BASE = 16;
const NAMES = Object.keys(COUNTERS) as Counter[];

let words: Int32Array;
let writer: Statistics;
let reader: StatisticsReader;

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(4 * (BASE + 3 * STATISTICS_WORDS)));
  writer = new Statistics(words, BASE + STATISTICS_WORDS);
  reader = new StatisticsReader(words, BASE, 3);
});

/** As after so many counts. */
function setCount(counter: Counter, count: number): void {
  const low = BASE + STATISTICS_WORDS + COUNTERS[counter];
  words[low] = count % 2 ** 32;
  words[low + 1] = Math.floor(count / 2 ** 31);
}

describe("Statistics", () => {
  it.each([2 ** 31 - 2, 2 ** 32 - 2, 2 ** 33 - 2, 2 ** 40 + 2 ** 31 - 2, 2 ** 52 - 2])(
    "counts on from %i, where 31 or 32 bits end",
    (start) => {
      setCount("executed", start);
      const seen = Array.from({ length: 4 }, () => {
        writer.count(COUNTERS.executed);
        return reader.of(1, "executed");
      });
      expect(seen).toEqual([1, 2, 3, 4].map((n) => start + n));
    },
  );

  it.each([2 ** 31, 2 ** 32, 3 * 2 ** 31])(
    "I2 a count is right while the second word of %i is not written yet, and stays so when it never is",
    (boundary) => {
      setCount("busy", boundary - 1);
      const low = BASE + STATISTICS_WORDS + COUNTERS.busy;
      // Its writer ended after the first of the two writes.
      words[low] = boundary % 2 ** 32;
      expect(reader.of(1, "busy")).toBe(boundary);
      // The next thread in its place goes on, over the next boundary too.
      writer.addTime("busy", 2 ** 31 + 5);
      expect(reader.of(1, "busy")).toBe(boundary + 2 ** 31 + 5);
      expect(words[low + 1]).toBe((boundary + 2 ** 31) / 2 ** 31);
    },
  );

  it("adds times of any length", () => {
    const hour = 3_600_000_000;
    writer.addTime("parked", 10_000 * hour);
    writer.addTime("parked", 0.6);
    writer.addTime("busy", 71 * 60e6);
    expect(reader.timeMs(1, "parked")).toBe(10_000 * 3_600_000 + 0.001);
    expect(reader.timeMs(1, "busy")).toBe(71 * 60_000);
  });

  it("every count has words of its own, apart from the histograms and from other blocks", () => {
    for (const [i, name] of NAMES.entries()) setCount(name, 2 ** 33 + i);
    writer.record("wait", 0, 1);
    writer.record("run", Number.MAX_SAFE_INTEGER, 1);
    expect(NAMES.map((name) => reader.of(1, name))).toEqual(NAMES.map((_, i) => 2 ** 33 + i));
    expect(NAMES.map((name) => reader.of(0, name) + reader.of(2, name))).toEqual(NAMES.map(() => 0));
    new Statistics(words, BASE + 2 * STATISTICS_WORDS).count(COUNTERS.failed);
    expect(reader.total("failed")).toBe(2 ** 33 + NAMES.indexOf("failed") + 1);
  });

  it("quantiles and the longest time are right for weeks", () => {
    for (const us of [100, 200, 71 * 60e6, 40 * 24 * 3600e6]) writer.record("wait", us, 1);
    const wait = reader.histogram("wait");
    const [p50, p99, max] = [wait.percentileMs(50), wait.percentileMs(99), wait.maxMs];
    expect(p50).toBeGreaterThan(0.17);
    expect(p50).toBeLessThan(0.23);
    expect(max).toBe(40 * 24 * 3600e3);
    expect(p99).toBeGreaterThan(max * 0.88);
    expect(p99).toBeLessThanOrEqual(max);
  });

  it("histograms count beyond 32 bits", () => {
    for (let i = 0; i < 10; i++) writer.record("run", 3, 2 ** 30);
    writer.record("run", 50, 1);
    expect(reader.histogram("run").percentileMs(99)).toBe(0.003);
    expect(reader.histogram("run").meanMs).toBeCloseTo(0.003, 5);
  });

  it("buckets follow each other, an eighth wide, up to years", () => {
    let former = -1;
    for (const us of [0, 1, 7, 8, 9, 15, 16, 18, 2 ** 31 - 1, 2 ** 31, 2 ** 31 * 1.125, 2 ** 40, 2 ** 46]) {
      const bucket = bucketOf(us);
      expect(bucket).toBeGreaterThan(former);
      expect(Math.abs(middleOf(bucket) - us)).toBeLessThanOrEqual(us / 8);
      former = bucket;
    }
    expect(bucketOf(-5)).toBe(0);
    expect(bucketOf(2 ** 60)).toBe(bucketOf(2 ** 47 - 2 ** 20));
  });
});

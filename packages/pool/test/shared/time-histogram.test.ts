import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, BUCKETS, TimeHistogram } from "../../src/shared/time-histogram.ts";

function histogramOf(times: readonly number[]): TimeHistogram {
  const counts = new Float64Array(BUCKETS);
  for (const us of times) counts[bucketOf(us)]!++;
  return new TimeHistogram(counts, Math.max(0, ...times));
}

const empty = histogramOf([]);
const times = fc.array(fc.integer({ min: 8, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 50 });
/** Whether a value read of the histogram is right, in milliseconds. */
const isNear = (ms: number, us: number): boolean => Math.abs(ms * 1000 - us) <= us / 8;

describe("TimeHistogram", () => {
  it("is all zeros without a time", () => {
    const { count, minMs, maxMs, meanMs, deviationMs } = empty;
    expect([count, minMs, maxMs, meanMs, deviationMs, empty.percentileMs(50)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(empty.entriesMs()).toEqual([]);
  });

  it("percentiles, extremes and mean are right to an eighth", () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 100 }), (all, percent) => {
        const histogram = histogramOf(all);
        const sorted = all.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil((percent * all.length) / 100) - 1]!;
        expect(histogram.count).toBe(all.length);
        expect(histogram.maxMs).toBe(sorted.at(-1)! / 1000);
        expect([
          isNear(histogram.percentileMs(percent), exact),
          isNear(histogram.minMs, sorted[0]!),
          isNear(histogram.meanMs, all.reduce((sum, us) => sum + us, 0) / all.length),
        ]).toEqual([true, true, true]);
      }),
    );
  });

  it("a percentile is that of no job more, at whatever percentage, and of one at least", () => {
    for (let percent = 1; percent <= 100; percent++) {
      const some = histogramOf(Array.from({ length: 100 }, (_, i) => (i < percent ? 10 : 1000)));
      expect([percent, isNear(some.percentileMs(percent), 10)]).toEqual([percent, true]);
    }
    expect(isNear(histogramOf([10, 1000]).percentileMs(Number.MIN_VALUE), 10)).toBe(true);
  });

  it("since: what came later, as if it were alone, its maximum to an eighth", () => {
    fc.assert(
      fc.property(times, times, (before, after) => {
        const later = histogramOf([...before, ...after]).since(histogramOf(before));
        const alone = histogramOf(after);
        expect(later.entriesMs()).toEqual(alone.entriesMs());
        expect(isNear(later.maxMs, alone.maxMs * 1000)).toBe(true);
        expect(later.maxMs).toBeGreaterThanOrEqual(alone.maxMs);
      }),
    );
    expect(histogramOf([5, 90]).since(histogramOf([5, 90])).maxMs).toBe(0);
  });

  it("the standard deviation of equal times is 0, of two apart half their distance", () => {
    expect(histogramOf([7, 7, 7]).deviationMs).toBe(0);
    expect(histogramOf([2, 6]).deviationMs).toBeCloseTo(0.002, 6);
  });
});

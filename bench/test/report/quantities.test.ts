import { describe, expect, it } from "vitest";
import { position, quantity, tick, times } from "../../src/report/quantities.ts";

describe("quantity", () => {
  it.each([
    [604_123, "jobs/s", "604 k/s"],
    [999_900, "jobs/s", "1 M/s"],
    [12.34, "us", "12.3 us"],
    [1200, "us", "1.20 ms"],
    [0.21, "us", "210 ns"],
    [64 * 1024, "bytes", "64.0 KB"],
    [17.06, "%", "17.1 %"],
    [0, "ms", "0 ns"],
    [Number.NaN, "ms", "–"],
  ] as const)("%d %s is written %s", (value, unit, text) => {
    expect(quantity(value, unit)).toBe(text);
  });

  it("a tick is exact", () => {
    expect(tick(10_000, "jobs/s")).toBe("10 k/s");
    expect(position(65_536, "bytes")).toBe("64 KB");
    expect(position(100_000, "queued jobs")).toBe("100 k");
  });

  it("ratios far below 1 are written as fractions", () => {
    expect(times(5.8)).toBe("5.80x");
    expect(times(0.5)).toBe("0.50x");
    expect(times(0.02)).toBe("1/50.0");
  });
});

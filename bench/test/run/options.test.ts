import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/run/options.ts";
import { choosePinning } from "../../src/run/pinning.ts";

describe("parseOptions", () => {
  it("without arguments: everything, in full, at least seven rounds, into latest", () => {
    const options = parseOptions([])!;
    expect(options).toMatchObject({ only: null, mode: "full", against: null, report: null });
    expect(options.rounds).toBeGreaterThanOrEqual(7);
    expect(options.out).toMatch(/bench\/results\/latest$/);
  });

  it("a quick run never lands where the full one is", () => {
    expect(parseOptions(["--quick"])!.out).not.toBe(parseOptions([])!.out);
    expect(parseOptions(["--quick"])!.mode).toBe("quick");
  });

  it("sections are separated by commas, and rounds are counted", () => {
    expect(parseOptions(["--only", "memory,context", "--rounds", "15"])).toMatchObject({
      only: ["memory", "context"],
      rounds: 15,
    });
  });

  it("the separator that pnpm passes on is ignored", () => {
    expect(parseOptions(["--", "--quick"])!.mode).toBe("quick");
  });

  it.each(["0", "-1", "1.5", "many", "100000"])("%s rounds are refused", (rounds) => {
    expect(() => parseOptions([`--rounds=${rounds}`])).toThrow(RangeError);
  });

  it("what is not known is refused", () => {
    expect(() => parseOptions(["--fast"])).toThrow(/--fast/);
    expect(() => parseOptions(["--only", ","])).toThrow(/needs the name of a section/);
  });
});

describe("choosePinning", () => {
  it("two cores are all needed: not pinned, and the report says why", () => {
    const { prefix, description } = choosePinning(2, true);
    expect(prefix).toEqual([]);
    expect(description).toContain("2 cores");
  });

  it("of eight cores one is left to the system", () => {
    expect(choosePinning(8, true).prefix).toEqual(["taskset", "--cpu-list", "1-7"]);
    expect(choosePinning(8, false).prefix).toEqual([]);
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { traceparent } from "@skein/context/http";

const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .string({
      unit: fc.constantFrom(...Array.from("0123456789abcdef")),
      minLength: length,
      maxLength: length,
    })
    .filter((id) => !/^0+$/.test(id));
const ids = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", parentId: "00f067aa0ba902b7" };
const head = `${ids.traceId}-${ids.parentId}`;

describe("traceparent", () => {
  it("reads what it writes", () => {
    const value = fc.record({
      traceId: hex(32),
      parentId: hex(16),
      sampled: fc.boolean(),
      random: fc.boolean(),
    });
    fc.assert(
      fc.property(value, (parent) => {
        expect(traceparent.parse(traceparent.format(parent))).toEqual(parent);
      }),
    );
  });

  it.each([
    ["00", false, false],
    ["01", true, false],
    ["02", false, true],
    ["03", true, true],
    ["fc", false, false],
    ["ff", true, true],
  ])("reads flags %s, ignoring unknown bits", (flags, sampled, random) => {
    expect(traceparent.parse(`00-${head}-${flags}`)).toEqual({ ...ids, sampled, random });
  });

  it("reads a later version by what version 00 defines, with or without more fields", () => {
    expect(traceparent.parse(`cc-${head}-01`)).toEqual({ ...ids, sampled: true, random: false });
    expect(traceparent.parse(`cc-${head}-01-what-the-future-brings`)).toEqual({
      ...ids,
      sampled: true,
      random: false,
    });
    expect(traceparent.parse(`cc-${head}-01.what`)).toBeNull();
  });

  it.each([
    "",
    "garbage",
    `ff-${head}-01`,
    `00-${head}-01-more`,
    `00-${head}-01-`,
    `00-${head}-1`,
    `00-${head}`,
    `00-${head.toUpperCase()}-01`,
    `0-${head}-01`,
    `00-${"0".repeat(32)}-${ids.parentId}-01`,
    `00-${ids.traceId}-${"0".repeat(16)}-01`,
    `00-${head}-01\n`,
    `00-${head}-01, 00-${head}-01`,
  ])("gives null for %j", (text) => {
    expect(traceparent.parse(text)).toBeNull();
  });

  it("never throws, and gives only what it can write", () => {
    const mutated = fc
      .tuple(fc.nat(54), fc.string({ maxLength: 3 }))
      .map(([at, noise]) => `00-${head}-01`.slice(0, at) + noise + `00-${head}-01`.slice(at + noise.length));
    fc.assert(
      fc.property(fc.oneof(fc.string(), mutated), (text) => {
        const parsed = traceparent.parse(text);
        const again = parsed === null ? null : traceparent.parse(traceparent.format(parsed));
        expect(again).toEqual(parsed);
      }),
    );
  });

  it.each([
    { traceId: "short" },
    { traceId: "0".repeat(32) },
    { parentId: "SHOUTING12345678" },
    { parentId: "0".repeat(16) },
  ])("refuses to write %o", (wrong) => {
    expect(() => traceparent.format({ ...ids, sampled: false, random: false, ...wrong })).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });
});

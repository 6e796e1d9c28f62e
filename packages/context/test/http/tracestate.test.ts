import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tracestate } from "@skein/context/http";

const member = fc.record({
  key: fc.stringMatching(/^[a-z0-9][a-z0-9_\-*/@]{0,30}$/),
  value: fc.stringMatching(/^[ -+\--<>-~]{0,40}[!-+\--<>-~]$/),
});

describe("tracestate", () => {
  it("reads what it writes", () => {
    const members = fc.uniqueArray(member, { selector: ({ key }) => key, maxLength: 32 });
    fc.assert(
      fc.property(members, (list) => {
        expect(tracestate.parse(tracestate.format(list))).toEqual(list);
      }),
    );
  });

  it("skips empty members and white space around members", () => {
    expect(tracestate.parse(" \ta=1 , ,\t,b@v= x y,")).toEqual([
      { key: "a", value: "1" },
      { key: "b@v", value: " x y" },
    ]);
    expect(tracestate.parse("")).toEqual([]);
  });

  it.each([
    "a",
    "=1",
    "a=",
    "A=1",
    "a=1=2",
    "a=1,a=2",
    "a b=1",
    "a=\u00e9",
    "-a=1",
    `${"a".repeat(257)}=1`,
    `a=${"1".repeat(257)}`,
  ])("gives null for %j", (text) => {
    expect(tracestate.parse(`ok=1,${text}`)).toBeNull();
  });

  it("holds 32 members and no more", () => {
    const list = Array.from({ length: 33 }, (_, index) => ({ key: `k${index}`, value: "v" }));
    const text = list.map(({ key, value }) => `${key}=${value}`);
    expect(tracestate.parse(text.slice(0, 32).join(","))).toHaveLength(32);
    expect(tracestate.parse(text.join(","))).toBeNull();
    expect(() => tracestate.format(list)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_OUT_OF_RANGE" }),
    );
  });

  it("never throws when reading", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = tracestate.parse(text);
        const again = parsed === null ? null : tracestate.parse(tracestate.format(parsed));
        expect(again).toEqual(parsed);
      }),
    );
  });

  it.each([
    [[{ key: "A", value: "1" }]],
    [[{ key: "a", value: "" }]],
    [[{ key: "a", value: "1,b=2" }]],
    [
      [
        { key: "a", value: "1" },
        { key: "a", value: "2" },
      ],
    ],
  ])("refuses to write %o", (members) => {
    expect(() => tracestate.format(members)).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });
});

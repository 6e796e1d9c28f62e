import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { baggage } from "@skein/context/http";

const key = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const text = fc.string({ unit: "grapheme", maxLength: 12 }).map((value) => value.toWellFormed());
const property = fc.oneof(fc.record({ key }), fc.record({ key, value: text }));
const member = fc.oneof(
  fc.record({ key, value: text }),
  fc.record({ key, value: text, properties: fc.array(property, { minLength: 1, maxLength: 3 }) }),
);

describe("baggage", () => {
  it("reads what it writes, whatever the values", () => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 10 }), (list) => {
        const header = baggage.format(list);
        expect(header).toMatch(/^[!-~]*$/);
        expect(baggage.parse(header)).toEqual(list);
      }),
    );
  });

  it("reads white space, properties and percent-encoding", () => {
    expect(baggage.parse("a = 1 ; p ; q = x%20y ,b=%C3%A9%F0%9F%98%80,c=")).toEqual([
      { key: "a", value: "1", properties: [{ key: "p" }, { key: "q", value: "x y" }] },
      { key: "b", value: "é😀" },
      { key: "c", value: "" },
    ]);
  });

  it("writes percent-encoding for all but baggage-octets", () => {
    expect(baggage.format([{ key: "k", value: 'a b,c;d"e\\f%g=h' }])).toBe("k=a%20b%2Cc%3Bd%22e%5Cf%25g=h");
  });

  it("replaces bytes that are not UTF-8, and keeps a lone percent sign", () => {
    expect(baggage.parse("a=%FF%41,b=50%,c=%zz")).toEqual([
      { key: "a", value: "\uFFFDA" },
      { key: "b", value: "50%" },
      { key: "c", value: "%zz" },
    ]);
    expect(baggage.parse(baggage.format([{ key: "a", value: "\uD800" }]))).toEqual([
      { key: "a", value: "\uFFFD" },
    ]);
  });

  it("leaves out malformed members and keeps the others", () => {
    expect(baggage.parse('a=1,,b,=2,c d=3,e="4",f=5;g h,i=6')).toEqual([
      { key: "a", value: "1" },
      { key: "i", value: "6" },
    ]);
  });

  it("keeps the order, and a key that comes twice", () => {
    const list = [
      { key: "k", value: "1" },
      { key: "k", value: "2" },
    ];
    expect(baggage.parse(baggage.format(list))).toEqual(list);
  });

  it("reads at most 64 members and 8192 bytes", () => {
    const many = Array.from({ length: 70 }, (_, index) => `k${index}=v`);
    expect(baggage.parse(many.join(","))).toHaveLength(64);
    const large = `a=${"x".repeat(5_000)},b=${"x".repeat(5_000)}`;
    expect(baggage.parse(large).map((each) => each.key)).toEqual(["a"]);
    const exact = `a=${"x".repeat(8_190)}`;
    expect(baggage.parse(exact)).toHaveLength(1);
    expect(baggage.parse(`${exact}x`)).toHaveLength(0);
  });

  it("reads no more than it can write", () => {
    for (const text of ["%", "%FF", "%FFx", "%zz"]) {
      const header = `k=v,a=${text.repeat(Math.floor(8_000 / text.length))},l=v`;
      expect(baggage.parse(header)).toEqual([{ key: "k", value: "v" }]);
    }
    const exact = baggage.parse(`a=${"%".repeat(2_730)}`);
    expect(baggage.format(exact)).toHaveLength(8_192);
    const parts = fc.array(fc.constantFrom("%", "%F", "%FF", "%C3", "a", ",b=", ";c="), {
      minLength: 1_000,
      maxLength: 4_000,
      size: "max",
    });
    fc.assert(
      fc.property(parts, (list) => {
        expect(() => baggage.format(baggage.parse(`a=${list.join("")}`))).not.toThrow();
      }),
      { numRuns: 50 },
    );
  });

  it("refuses to write more", () => {
    const outOfRange = expect.objectContaining({ name: "RangeError", code: "ERR_SKEIN_OUT_OF_RANGE" });
    const many = Array.from({ length: 65 }, (_, index) => ({ key: `k${index}`, value: "v" }));
    expect(() => baggage.format(many)).toThrow(outOfRange);
    expect(() => baggage.format([{ key: "a", value: " ".repeat(3_000) }])).toThrow(outOfRange);
  });

  it("refuses to write a key that is no token", () => {
    expect(() => baggage.format([{ key: "a b", value: "1" }])).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });

  it("never throws when reading", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (header) => {
        expect(baggage.parse(header)).toBeInstanceOf(Array);
      }),
    );
  });
});

import { isDeepStrictEqual } from "node:util";
import { deserialize, serialize } from "node:v8";
import { Task } from "@skein/scheduling";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeItem, encodeItem } from "../src/item-codec.ts";

function roundTrip(value: unknown, carrier?: string | null): unknown {
  const bytes = encodeItem(value, carrier);
  return decodeItem(Buffer.from(new Uint8Array(bytes).buffer));
}

describe("items as bytes", () => {
  it("any value comes back as v8.serialize alone would bring it back", () => {
    fc.assert(
      fc.property(
        fc.anything({
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
          withBigInt: true,
          withNullPrototype: true,
        }),
        (value) => {
          expect(isDeepStrictEqual(roundTrip(value), deserialize(serialize(value)))).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["a record", { id: 5, name: "é\u{1F600}\ud800", list: [1, null, true, "x"], in: { deep: [] } }, true],
    ["text", "text", true],
    ["-0", { value: -0 }, false],
    ["undefined in a record", { value: undefined }, false],
    ["a hole", Object.assign([1, 2], { length: 3 }), false],
    ["a hole and a name", Object.assign([1, , 3], { x: 2 }), false], // oxlint-disable-line no-sparse-arrays
    ["the result of a RegExp", /a(b)/.exec("ab"), false],
    [
      "an instance",
      new (class Point {
        x = 1;
      })(),
      false,
    ],
    ["a toJSON", { toJSON: 5 }, false],
    ["an own __proto__", JSON.parse('{"__proto__": 5}'), true],
    ["NaN", [Number.NaN], false],
  ])("%s", (_, value, isText) => {
    expect(encodeItem(value, undefined)[0] !== 0xff).toBe(isText);
    expect(isDeepStrictEqual(roundTrip(value), deserialize(serialize(value)))).toBe(true);
  });

  it("what is twice in an item stays one, and cycles end", () => {
    const shared = [1];
    const value: Record<string, unknown> = { a: shared, b: shared };
    value["self"] = value;
    const copy = roundTrip(value) as typeof value;
    expect(copy["a"]).toBe(copy["b"]);
    expect(copy["self"]).toBe(copy);
  });

  it("a getter is called once, and what it gives is what arrives", () => {
    let calls = 0;
    const first = {
      get id() {
        return ++calls;
      },
    };
    expect(roundTrip(first)).toEqual({ id: 1 });
    const inside = { list: [first], at: new Date(5) };
    expect(roundTrip(inside)).toEqual({ list: [{ id: 2 }], at: new Date(5) });
    const changing = {
      get at() {
        return calls++ === 2 ? 1 : new Date(0);
      },
    };
    expect(roundTrip(changing)).toEqual({ at: 1 });
    expect(roundTrip(changing)).toEqual({ at: new Date(0) });
  });

  it("what somebody has put on Object.prototype is no part of an item", () => {
    let bytes: Uint8Array;
    // oxlint-disable-next-line no-extend-native -- that is the case
    Object.defineProperty(Object.prototype, "added", { value: 1n, enumerable: true, configurable: true });
    try {
      bytes = encodeItem({ a: 1 }, undefined);
    } finally {
      Reflect.deleteProperty(Object.prototype, "added");
    }
    expect(Buffer.from(bytes).toString()).toBe('{"a":1}');
  });

  it("typed arrays of every width, behind anything", () => {
    for (let length = 0; length < 12; length++) {
      const value = [
        "x".repeat(length),
        new Float64Array([1.5, 2.5]),
        new Uint8Array([1, 2, 3]),
        new BigInt64Array([5n]),
      ];
      const copy = roundTrip(value, "carrier") as [typeof value, string];
      expect(copy).toEqual([value, "carrier"]);
      // Nothing of the rest of the item, and of its context, is to be seen in them.
      const views = copy[0].slice(1) as Uint8Array[];
      expect(views.map(({ buffer }) => buffer.byteLength)).toEqual([16, 3, 8]);
    }
  });

  it("the carrier comes along in either form", () => {
    expect(roundTrip({ a: 1 }, "carrier")).toEqual([{ a: 1 }, "carrier"]);
    expect(roundTrip(new Map([[1, 2]]), null)).toEqual([new Map([[1, 2]]), null]);
  });

  describe("what cannot be copied is refused by path", () => {
    const cyclic: Record<string, unknown> = { list: [1] };
    cyclic["in"] = { back: cyclic };
    cyclic["fn"] = () => {};
    class Weak {
      readonly refs = new WeakMap();
    }
    it.each<[string, unknown]>([
      ["item", Symbol("s")],
      ["item", () => {}],
      ["item.a", { a: () => {} }],
      ["item.rows[2].then", { rows: [{}, {}, { then: () => {} }] }],
      ['item["two words"][0]', { "two words": [Symbol("s")] }],
      ["item.fn", cyclic],
      ['item.map.get("k").on', { map: new Map([["k", { on: () => {} }]]) }],
      ["item.set.values()", { set: new Set([() => {}]) }],
      ["item.task", { fine: new Uint8Array(3), task: Promise.resolve() }],
      ["item.weak.refs", { weak: new Weak() }],
      ["item.memory", { memory: new SharedArrayBuffer(8) }],
    ])("%s", (path, value) => {
      for (const carrier of [undefined, "carrier"]) {
        expect(() => encodeItem(value, carrier)).toThrow(
          expect.objectContaining({
            name: "NotCloneableError",
            code: "ERR_SKEIN_NOT_CLONEABLE",
            path,
            message: expect.stringMatching(/^item/),
            cause: expect.anything(),
          }),
        );
      }
    });

    it("a getter that throws: its error is the cause", () => {
      const error = new Error("closed");
      const value = {
        a: 1,
        get rows(): never {
          throw error;
        },
      };
      expect(() => encodeItem({ value }, undefined)).toThrow(
        expect.objectContaining({ code: "ERR_SKEIN_NOT_CLONEABLE", path: "item.value.rows", cause: error }),
      );
    });

    it("a Task or another thenable, whose class a clone would lose", () => {
      expect(() => encodeItem(Task.fromResult(5), undefined)).toThrow(
        "item is a promise or another thenable",
      );
      expect(() => encodeItem(Promise.resolve(5), undefined)).toThrow("Await it");
    });
  });

  it("a toJSON that somebody has put on Array.prototype changes nothing", () => {
    // oxlint-disable-next-line no-extend-native -- that is the case
    Object.defineProperty(Array.prototype, "toJSON", { value: () => "changed", configurable: true });
    try {
      expect(roundTrip("text", "carrier")).toEqual(["text", "carrier"]);
      expect(roundTrip([1, 2])).toEqual([1, 2]);
    } finally {
      Reflect.deleteProperty(Array.prototype, "toJSON");
    }
  });
});

// oxlint-disable typescript/no-unsafe-type-assertion -- values of every kind, also wrong ones, are what is tested
import { describe, expect, it } from "vitest";

import { Decoder } from "../../src/codec/decoder.ts";
import { decoder, encoded, encoder, roundTrip } from "./round-trip.ts";
import { difference } from "./same-graph.ts";

const repeat = (unit: string, length: number) => unit.repeat(length);

describe("edges", () => {
  for (const unit of ["a", "é", "ÿ", "Ā", "€", "\ud83d", "\udc00"]) {
    it(`strings of ${JSON.stringify(unit)} at every length up to 70, and beyond the first growth`, () => {
      for (const length of [...Array(71).keys(), 255, 256, 4_096, 70_000]) {
        const value = repeat(unit, length);
        expect(roundTrip(value) === value, `length ${length}`).toBe(true);
        const mixed = `${repeat("a", length)}${unit}`;
        expect(roundTrip({ [mixed]: mixed })).toEqual({ [mixed]: mixed });
      }
    });
  }

  it("a string of a million characters, flat or concatenated", () => {
    const half = repeat("0123456789", 50_000);
    expect(roundTrip(half + half) === half + half).toBe(true);
    expect(roundTrip(`${half}€`) === `${half}€`).toBe(true);
  });

  it.each([
    0,
    -0,
    1,
    -16,
    -17,
    111,
    112,
    127,
    128,
    255,
    256,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    2 ** 32,
    2 ** 53,
    0.1,
  ])("the number %d", (value) => {
    expect(roundTrip(value)).toBe(value);
    expect(roundTrip(-value)).toBe(-value);
    expect(roundTrip([value, value])).toEqual([value, value]);
  });

  it.each([
    0n,
    -1n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    2n ** 64n,
    2n ** 4_000n,
    -(3n ** 999n),
  ])("the bigint %s", (value) => expect(roundTrip(value)).toBe(value));

  it("long arrays of numbers keep -0, NaN and the kinds of numbers apart", () => {
    const lists = [
      Array.from({ length: 500 }, (_, i) => i - 250),
      Array.from({ length: 500 }, (_, i) => i / 3),
      Array.from({ length: 40 }, (_, i) => (i === 30 ? -0 : i)),
      Array.from({ length: 40 }, (_, i) => (i === 30 ? Number.NaN : i)),
      Array.from({ length: 40 }, (_, i) => (i === 39 ? "x" : i)),
      Array.from({ length: 40 }, (_, i) => (i === 39 ? undefined : i)),
    ];
    for (const list of lists) expect(difference(roundTrip([list, list]), [list, list])).toBeUndefined();
  });

  it.each([0, 1, 31, 32, 127, 128, 129, 1_000])(
    "arrays of %d elements, with and without holes or properties",
    (length) => {
      const full = Array.from({ length }, (_, i) => `e${i}`);
      const holes: unknown[] = full.slice();
      holes.length = length + 3;
      const named = Object.assign(full.slice(), { index: 4, input: "x" });
      const swapped = Object.assign(full.slice(), { extra: 1 });
      if (length > 0) Reflect.deleteProperty(swapped, length - 1);
      for (const value of [full, holes, named, swapped]) {
        expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
      }
    },
  );

  it("records of a list that have fewer, more and other keys than the first", () => {
    const rows = [
      { a: 1, b: [2], c: "3" },
      { a: 1, b: [2], c: "3" },
      {},
      { a: 1 },
      { a: 1, c: "3" },
      { a: 1, b: [2], c: "3", d: { a: 4 } },
      { a: 1, x: 2, c: [{ a: 5 }, { a: 6, b: 7 }] },
      { b: 1, a: 2 },
      { 0: "index", a: 1, b: 2, c: 3 },
      JSON.parse('{ "a": 1, "b": 2, "__proto__": 3 }') as object,
      Object.defineProperty({ a: 1, b: 2 }, "c", { value: 3, enumerable: false }),
    ];
    for (const value of [rows, [...rows, ...rows], { rows, last: rows.at(-2) }, [{}, {}, { a: 1 }]])
      expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
  });

  describe.each([1, 2, 5, 40, 200, 300, 1_000])("of a list of %i, each accessor is called once", (length) => {
    const values: Record<string, (index: number) => unknown> = {
      int32: (i) => i,
      doubles: (i) => i + 0.5,
      texts: (i) => `text ${i}`,
      records: (i) => ({ i }),
    };
    it.each(Object.keys(values))("among %s", (kind) => {
      const places = [0, 1, length >> 1, length - 1].filter(
        (at, i, all) => at < length && all.indexOf(at) === i,
      );
      for (const at of places) {
        for (const [first, later] of [
          [3, "text"],
          ["text", 3],
          [0.5, { a: 1 }],
          [{ i: 1 }, 3],
          [undefined, 3],
        ]) {
          let calls = 0;
          const list = Array.from({ length }, (_, i) => values[kind]!(i));
          Object.defineProperty(list, at, {
            enumerable: true,
            configurable: true,
            get: () => (calls++ === 0 ? first : later),
          });
          const expected = Array.from({ length }, (_, i) => (i === at ? first : values[kind]!(i)));
          expect(difference(roundTrip(list), expected), `at ${at}`).toBeUndefined();
          expect(calls, `at ${at}`).toBe(1);
        }
      }
    });
  });

  it("lists that begin with numbers, whatever comes after how many of them", () => {
    for (const length of [32, 33, 255, 256, 257, 258, 600]) {
      for (const at of [0, 1, 31, 254, 255, 256, 257, 258, 599].filter((index) => index < length)) {
        for (const other of [0.5, -0, NaN, 2 ** 31, "text", null, undefined, { a: 1 }]) {
          for (const more of [0, 0.5]) {
            const list = Array.from({ length }, (_, i) => (i === at ? other : i > at ? i + more : i));
            expect(
              difference(roundTrip(list), list),
              `${typeof other} at ${at} of ${length}`,
            ).toBeUndefined();
            const last = [...list, [1]];
            expect(difference(roundTrip(last), last)).toBeUndefined();
          }
        }
      }
    }
  });

  it("an accessor of a list may encode lists of numbers with the same encoder", () => {
    const list = Array.from({ length: 100 }, (_, i) => i);
    const get = (): number => {
      roundTrip(Array.from({ length: 100 }, () => 7));
      return 50;
    };
    Object.defineProperty(list, 50, { get, enumerable: true });
    expect(roundTrip(list)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it("each getter of a record in a list is called once, and what it does to the record is seen", () => {
    const make = () => {
      let calls = 0;
      const changed = (change: (row: Record<string, unknown>) => void): object => {
        const row: Record<string, unknown> = {
          get a() {
            change(row);
            return ++calls;
          },
          b: 2,
          c: 3,
        };
        return row;
      };
      return [
        { a: 1, b: 2, c: 3 },
        { a: 1, b: 2, c: 3 },
        changed(() => {}),
        changed((row) => delete row["b"]),
        changed((row) => delete row["c"]),
        changed((row) => (row["d"] = 4)),
        changed((row) => (row["b"] = "changed")),
      ];
    };
    expect(difference(roundTrip(make()), structuredClone(make()))).toBeUndefined();
  });

  it("a match of a regular expression keeps index, input and groups", () => {
    const match = /(?<year>\d+)/.exec("in 2024");
    expect(difference(roundTrip(match), structuredClone(match))).toBeUndefined();
  });

  it("an array of a billion holes costs nothing", () => {
    const sparse: number[] = [];
    sparse[999_999_999] = 1;
    const copy = roundTrip(sparse) as number[];
    expect(copy).toHaveLength(1_000_000_000);
    expect(Object.keys(copy)).toEqual(["999999999"]);
  });

  it("dates, also an invalid one, and the same date twice", () => {
    const date = new Date(8.64e15);
    const value = { valid: date, same: date, invalid: new Date(Number.NaN), early: new Date(-1) };
    expect(difference(roundTrip(value), value)).toBeUndefined();
  });

  it("an own __proto__ key stays a key and changes no prototype", () => {
    const value: unknown = JSON.parse('{ "__proto__": { "polluted": true }, "a": [{ "__proto__": 1 }] }');
    const copy = roundTrip(value) as Record<string, unknown>;
    expect(difference(copy, value)).toBeUndefined();
    expect(copy.polluted).toBeUndefined();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("inherited properties stay behind, even on a polluted Object.prototype", () => {
    // oxlint-disable-next-line no-extend-native -- what a polluted prototype does is what is tested
    Object.defineProperty(Object.prototype, "polluted", {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    try {
      const copy = roundTrip({ a: 1 });
      expect(Object.keys(copy as object)).toEqual(["a"]);
    } finally {
      delete (Object.prototype as Record<string, unknown>).polluted;
    }
  });

  it("a setter on Object.prototype swallows nothing in a decoder that was made after it", () => {
    let calls = 0;
    // oxlint-disable-next-line no-extend-native -- what a polluted prototype does is what is tested
    Object.defineProperty(Object.prototype, "swallowed", {
      configurable: true,
      set() {
        calls++;
      },
    });
    try {
      const bytes = encoded(encoder, JSON.parse('{ "swallowed": 1 }'));
      const own = new Decoder(
        { idOf: () => 0, fromId: () => new SharedArrayBuffer(0) },
        { take: () => [], putBack: () => {} },
      );
      const copy = own.decode(bytes, 0, bytes.length) as object;
      expect(Object.getOwnPropertyDescriptor(copy, "swallowed")).toMatchObject({
        value: 1,
        enumerable: true,
      });
      expect(calls).toBe(0);
    } finally {
      Reflect.deleteProperty(Object.prototype, "swallowed");
    }
  });

  it("classes become plain objects, getters become values, symbol keys and methods of the prototype stay behind", () => {
    class Base {
      kept = 1;
      #hidden = 2;
      get computed() {
        return this.#hidden;
      }
      method() {
        return 3;
      }
    }
    const value = Object.assign(new Base(), { [Symbol("s")]: 1 });
    Object.defineProperty(value, "own", { get: () => 4, enumerable: true });
    expect(difference(roundTrip(value), { kept: 1, own: 4 })).toBeUndefined();
  });

  it("properties that a getter removes are left out", () => {
    const value: Record<string, unknown> = {
      get first() {
        delete this.second;
        return 1;
      },
      second: 2,
    };
    expect(roundTrip(value)).toEqual({ first: 1 });
  });

  it("what a getter throws is thrown on, and the encoder works afterwards", () => {
    const failure = new Error("from the getter");
    const value = {
      get bad() {
        throw failure;
      },
    };
    expect(() => encoder.encode([{}, value], "args")).toThrow(failure);
    expect(roundTrip([{ a: 1 }])).toEqual([{ a: 1 }]);
  });

  it("a getter may encode with the same encoder", () => {
    let inner: unknown;
    const value = {
      before: "x",
      get nested() {
        const bytes = encoded(encoder, { inner: [1, 2] });
        inner = decoder.decode(bytes, 0, bytes.length);
        return 7;
      },
      after: "y",
    };
    expect(roundTrip(value)).toEqual({ before: "x", nested: 7, after: "y" });
    expect(inner).toEqual({ inner: [1, 2] });
  });

  it("a getter may encode with the same encoder, also while it is found out what cannot be encoded", () => {
    const config = { name: "config" };
    const inner: unknown[] = [];
    const value = {
      config,
      get nested() {
        const bytes = encoded(encoder, [{ name: "who" }, { name: "what" }, config]);
        inner.push(decoder.decode(bytes, 0, bytes.length));
        return 7;
      },
      refused() {},
    };
    expect(() => encoder.encode([value], "args")).toThrow(
      expect.objectContaining({ path: "args[0].refused" }),
    );
    expect(inner.length).toBeGreaterThan(1);
    for (const each of inner) expect(each).toEqual([{ name: "who" }, { name: "what" }, config]);
  });

  it("errors keep class, message, stack and cause, as in structured clone", () => {
    class Custom extends TypeError {}
    const cause = new RangeError("inner");
    const value = [new Custom("outer", { cause }), cause, new AggregateError([1], "many"), new SyntaxError()];
    const copy = roundTrip(value);
    expect(difference(copy, structuredClone(value))).toBeUndefined();
    expect((copy as Error[])[0]).toBeInstanceOf(TypeError);
  });

  it("a DOMException stays one", () => {
    const copy = roundTrip({ reason: new DOMException("stopped", "AbortError") }) as { reason: DOMException };
    expect(copy.reason).toBeInstanceOf(DOMException);
    expect([copy.reason.name, copy.reason.message, copy.reason.code]).toEqual(["AbortError", "stopped", 20]);
  });

  it("boxed primitives stay boxed", () => {
    const value = [Object(1), Object("a"), Object(false), Object(3n)];
    expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
  });

  it("a Proxy of a plain object is read through", () => {
    expect(roundTrip(new Proxy({ a: [1] }, {}))).toEqual({ a: [1] });
  });

  it("nesting of 1000 levels arrives; 100 000 levels are refused with advice, not with a crash", () => {
    const nest = (levels: number) => {
      let value: object = {};
      for (let i = 0; i < levels; i++) value = { value };
      return value;
    };
    expect(JSON.stringify(roundTrip(nest(1_000))).length).toBe(10 * 1_000 + 2);
    expect(() => encoder.encode(nest(100_000), "result")).toThrow(/^result is nested too deeply/);
    expect(roundTrip(1)).toBe(1);
  });

  it("wide values with more objects than the linear search holds keep their aliases", () => {
    const shared = { shared: true };
    const value = Array.from({ length: 500 }, (_, i) => (i % 7 === 0 ? shared : { i, shared }));
    expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
  });

  it("gives large scratch memory back with the next message", () => {
    const large = encoder.encode(
      Array.from({ length: 1024 * 1024 }, (_, i) => i / 3),
      "result",
    );
    expect(large.bytes.length).toBeGreaterThan(8 * 1024 * 1024);
    large.release();
    const small = encoder.encode(1, "result");
    expect(small.bytes.length).toBeLessThan(1024 * 1024);
    small.release();
  });

  it("long buffers and texts in any order, among other values, are the same in one piece and copied to their place", () => {
    const block = (n: number) => new Uint8Array(n).map((_, i) => i * n);
    const value = [
      block(5000),
      "a",
      repeat("é", 4096),
      { b: block(4096), c: block(4095) },
      [block(100_000).buffer],
      // One after the other, on both sides of where a run begins.
      [4095, 4096, 4097].map((n) => repeat("b", n)),
      [2047, 2048, 2049].map((n) => repeat("€", n)),
      { [repeat("k", 5000)]: repeat("€", 5000), [repeat("€", 5000)]: 2 },
      1,
    ];
    const message = encoder.encode(value, "result");
    const { length, bytes: whole } = message;
    const target = new Uint8Array(new SharedArrayBuffer(length + 16)).fill(0xee);
    message.copyTo(target, 8);
    message.release();
    expect(Buffer.compare(target.slice(8, 8 + length), whole.subarray(0, length))).toBe(0);
    expect([target[7], target[8 + length]]).toEqual([0xee, 0xee]);
    expect(decoder.decode(target, 8, length)).toEqual(value);
  });

  it("a getter that transfers a buffer visited before it is refused", () => {
    const buffer = new ArrayBuffer(8192);
    const value = {
      buffer,
      get gone() {
        structuredClone(buffer, { transfer: [buffer] });
        return 1;
      },
    };
    expect(() => encoder.encode(value, "result")).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_NOT_CLONEABLE" }),
    );
  });

  it("keeps no value of a caller alive, long buffers included once they are copied", async () => {
    const buffer = (() => {
      const bytes = new Uint8Array(8192);
      const message = encoder.encode([bytes], "args");
      message.copyTo(new Uint8Array(message.length), 0);
      message.release();
      return new WeakRef(bytes.buffer);
    })();
    const reference = (() => {
      const value = { big: Array.from({ length: 1_000 }, () => 0) };
      encoder.encode([value], "args").release();
      return new WeakRef(value);
    })();
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
    expect(reference.deref()).toBeUndefined();
    expect(buffer.deref()).toBeUndefined();
  });
});

import { createSecretKey } from "node:crypto";
import { BlockList } from "node:net";
import { createHistogram } from "node:perf_hooks";
import * as fc from "fast-check";
import { NotCloneableError, registerError } from "@skein/pool";
import { describe, expect, it } from "vitest";
import { decodeText, encodeText } from "../src/codec/text.ts";
import { InvalidPayloadError } from "../src/errors.ts";
import { requestOf } from "../src/wire.ts";

class HttpError extends Error {
  override name = "HttpError";
  readonly status: number;
  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}
registerError(HttpError);

/** From Node.js 24 on. */
const float16 =
  (globalThis as unknown as { Float16Array?: Float32ArrayConstructor }).Float16Array ?? Float32Array;

const there = (value: unknown): unknown => decodeText(encodeText(value, "result"));

describe("a value as text", () => {
  it("arrives as structured clone gives it, whatever it is", () => {
    const values = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withUnicodeString: true,
      withBoxedValues: true,
    } as fc.ObjectConstraints);
    fc.assert(
      fc.property(values, (value) => {
        expect(there(value)).toStrictEqual(structuredClone(value));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["-0", -0],
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["NUL and a lone surrogate", { text: "a\0b\ud800" }],
    ["an invalid date", new Date(Number.NaN)],
    ["a name __proto__", JSON.parse('{"__proto__":{"a":1}}') as unknown],
    ["an array with a name", Object.assign([1, 2], { extra: 3 })],
    ["bytes", new Uint8Array([1, 2, 255])],
    ["half-precision numbers", float16.from([1.5, -0])],
    ["a regular expression", /a\/b/giu],
  ])("keeps %s", (_, value) => {
    expect(there(value)).toStrictEqual(structuredClone(value));
  });

  it("has neither NUL nor lone surrogates, which Postgres refuses", () => {
    const text = encodeText(new Map([["a\0b\ud800", "\udfff"]]), "result");
    expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
  });

  it("takes JSON where that is exact, and only there", () => {
    expect(encodeText([{ a: [1, "x", null, true] }], "result")).toBe('J[{"a":[1,"x",null,true]}]');
    const shared = {};
    const hole = Object.assign([], { 1: 1 });
    for (const value of [-0, [shared, shared], { a: undefined }, hole, new Date(0)])
      expect(encodeText(value, "result")).toMatch(/^R/);
  });

  it("keeps aliases and cycles, through Maps and Sets as well", () => {
    const value = { map: new Map<unknown, unknown>(), list: [] as unknown[] };
    value.map.set(value, value.list);
    value.list.push(value.map, new Set([value]));
    const copy = there(value) as typeof value;
    expect(copy.map.get(copy)).toBe(copy.list);
    expect(copy.list[0]).toBe(copy.map);
    expect((copy.list[1] as Set<unknown>).has(copy)).toBe(true);
  });

  it("keeps views of one buffer together, and does not send what a small view does not show", () => {
    const buffer = new ArrayBuffer(16);
    const value = [buffer, new Uint8Array(buffer, 4, 2), new Float64Array(buffer)] as const;
    const copy = there(value) as typeof value;
    expect(copy[1].buffer).toBe(copy[0]);
    expect(copy[2].buffer).toBe(copy[0]);
    expect(encodeText(new Uint8Array(new ArrayBuffer(1e6), 5, 2), "result").length).toBeLessThan(100);
  });

  it.each([
    ["parts of one", (buffer: ArrayBuffer) => [new Uint8Array(buffer, 0, 4), new Uint8Array(buffer, 2, 4)]],
    [
      "a part, before the buffer is met",
      (buffer: ArrayBuffer) => [{ a: { buffer } }, { a: new Uint8Array(buffer, 4, 2) }],
    ],
    [
      "a part, before all of it",
      (buffer: ArrayBuffer) => [{ a: new Uint8Array(buffer) }, { a: new DataView(buffer, 4, 2) }],
    ],
  ])("keeps views of one buffer together: %s", (_, make) => {
    const buffers: unknown[] = [];
    const find = (value: object): void => {
      if (value instanceof ArrayBuffer) buffers.push(value);
      else if (ArrayBuffer.isView(value)) buffers.push(value.buffer);
      else for (const each of Object.values(value)) find(each as object);
    };
    find(there(make(new ArrayBuffer(16))) as object);
    expect(buffers[0]).toBe(buffers[1]);
    expect(buffers[0]).toHaveProperty("byteLength", 16);
  });

  it("sends nothing of the memory that Node's small Buffers share", () => {
    const value = ["ab", "cd"].map((text) => Buffer.from(text));
    expect(there(value)).toEqual(value);
    expect(encodeText(value, "report").length).toBeLessThan(200);
  });

  it("is no deeper than memory allows", () => {
    let value: unknown = null;
    for (let i = 0; i < 100_000; i++) value = [value];
    let copy = there(value);
    let depth = 0;
    for (; Array.isArray(copy); copy = (copy as unknown[])[0]) depth++;
    expect(depth).toBe(100_000);
  });

  it("keeps the class, the properties and the cause of an error", () => {
    const error = Object.assign(new HttpError(404), {
      code: "E_GONE",
      cause: new RangeError("far", { cause: [new HttpError(1)] }),
    });
    const copy = there({ error, list: [error] }) as { error: HttpError; list: [HttpError] };
    expect(copy.error).toBeInstanceOf(HttpError);
    expect(copy.error).toMatchObject({ status: 404, code: "E_GONE", message: "HTTP 404" });
    expect(copy.error.cause).toBeInstanceOf(RangeError);
    expect(((copy.error.cause as Error).cause as unknown[])[0]).toBeInstanceOf(HttpError);
    expect(copy.list[0]).toBe(copy.error);
  });

  it.each([
    ["args[0].shape.toString", { shape: { toString: () => "" } }],
    ["args[0].list[1]", { list: [1, Symbol("s")] }],
    ["args[0].memory", { memory: new SharedArrayBuffer(8) }],
    ["args[0].view", { view: new Uint8Array(new SharedArrayBuffer(8)) }],
    ["args[0].later", { later: Promise.resolve() }],
    ["args[0].weak", { weak: new WeakMap() }],
    ["args[0].port", { port: new MessageChannel().port1 }],
    ["args[0].key", { key: createSecretKey("k", "utf8") }],
    ["args[0].list", { list: new BlockList() }],
    ["args[0].times", { times: createHistogram() }],
  ])("refuses what only memory can carry: %s", (path, value) => {
    expect(() => encodeText(value, "args[0]")).toThrowError(
      expect.objectContaining({ path }) as NotCloneableError,
    );
    expect(() => encodeText(value, "args[0]")).toThrow(NotCloneableError);
  });

  it.each([
    ["Array.prototype", Array.prototype],
    ["Object.prototype", Object.prototype],
  ])("arrives also where somebody has put `toJSON` on %s", (_, prototype) => {
    const values = [[[1, "x"], { a: [-0] }], new Map([[{}, new Error("far")]]), undefined];
    Reflect.set(prototype, "toJSON", () => "polluted");
    let texts: readonly string[];
    try {
      texts = values.map((value) => encodeText(value, "result"));
    } finally {
      Reflect.deleteProperty(prototype, "toJSON");
    }
    expect(texts.map(decodeText)).toEqual(values);
  });

  it("takes a class that the program has put on globalThis as any other", () => {
    class Money {
      readonly cents = 5;
      get [Symbol.toStringTag](): string {
        return "Money";
      }
    }
    class Headers extends Money {}
    const { Headers: ofPlatform } = globalThis;
    Object.assign(globalThis, { Money, Headers });
    try {
      expect(there([new Money(), new Headers()])).toEqual([{ cents: 5 }, { cents: 5 }]);
      expect(() => encodeText(new ofPlatform(), "args[0]")).toThrow(NotCloneableError);
      expect(globalThis.Headers).toBe(Headers);
    } finally {
      Object.assign(globalThis, { Headers: ofPlatform });
    }
  });
});

describe("a text that nobody of ours wrote", () => {
  const texts = ["", "X1", "J{", "R", "R[]", "R{}", "R[1]", 'R[["q"]]', 'R[["o",1,2]]', 'R[["a",[7]]]'];
  it.each([...texts, 'R[["v","Function",["u"],0,1]]'])("fails alone, with a code: %s", (text) => {
    expect(() => decodeText(text)).toThrow(InvalidPayloadError);
  });

  it("never throws anything else, and pollutes no prototype", () => {
    const nodes = fc.array(
      fc.array(
        fc.oneof(
          fc.constantFrom("o", "a", "A", "m", "s", "d", "r", "B", "v", "x", "e", "p", "__proto__", "error"),
          fc.nat(4),
          fc.jsonValue(),
          fc.array(fc.nat(4), { maxLength: 2 }),
        ),
      ),
    );
    const isSafe = (text: string): boolean => {
      try {
        decodeText(text);
        return true;
      } catch (error) {
        return error instanceof InvalidPayloadError;
      }
    };
    fc.assert(
      fc.property(nodes, (list) => isSafe(`R${JSON.stringify(list)}`)),
      { numRuns: 1000 },
    );
    expect(({} as { error?: unknown }).error).toBeUndefined();
  });
});

it("a request says nothing of what somebody has put on prototypes", () => {
  const rest = { lostRetries: 2, threadRetries: 0, leftMs: null, runTimeoutMs: null, children: null };
  Reflect.set(Object.prototype, "each", true);
  try {
    const source = { kind: "export", url: "file:///geo.jobs.ts", name: "area" } as const;
    const request = requestOf(source, { args: "J[]", digest: null, context: null, reports: false, ...rest });
    expect(request.each).toBe(false);
  } finally {
    Reflect.deleteProperty(Object.prototype, "each");
  }
});

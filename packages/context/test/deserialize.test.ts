import { serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { deserialize } from "@skein/context/internal";

describe("deserialize", () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, index) => index);
  const kinds: readonly (new (memory: ArrayBuffer) => ArrayBufferView)[] = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
  ];

  it.each(kinds.map((Kind) => [Kind.name, Kind] as const))("%s: in memory of its own", (_, Kind) => {
    const view = new Kind(bytes.slice().buffer);
    // Before it so much that it is aligned, and that it is not.
    for (let before = 0; before < 8; before++) {
      const copy = deserialize(serialize(["x".repeat(before), view])) as [string, ArrayBufferView];
      expect(copy[1]).toEqual(view);
      expect(copy[1]).toBeInstanceOf(Kind);
      expect([copy[1].byteOffset, copy[1].buffer.byteLength]).toEqual([0, 16]);
    }
  });

  it("a Buffer stays one, a part of memory comes as that part, nothing as nothing", () => {
    const buffer = Buffer.from("text");
    const part = new Uint8Array(bytes.buffer, 4, 2);
    const copy = deserialize(serialize([buffer, part, new Float64Array(0), buffer])) as Uint8Array[];
    expect(copy).toEqual([buffer, part, new Float64Array(0), buffer]);
    expect(Buffer.isBuffer(copy[0])).toBe(true);
    expect(copy.map((view) => view.buffer.byteLength)).toEqual([4, 2, 0, 4]);
    expect(copy[3]).toBe(copy[0]);
  });

  it("all else is as `v8.deserialize` gives it", () => {
    const value = { map: new Map([[1, new Set(["a"])]]), at: new Date(5), memory: new ArrayBuffer(3), n: 1n };
    expect(deserialize(serialize(value))).toEqual(value);
    expect(() => deserialize(Buffer.from("text"))).toThrow("Unable to deserialize");
  });
});

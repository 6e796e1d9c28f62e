// oxlint-disable typescript/no-unsafe-type-assertion -- values of every kind, also wrong ones, are what is tested
import { describe, expect, it } from "vitest";

import { type ErrorWire, fromWire, toWire } from "../../src/codec/error-wire.ts";
import { decoder, encoded, encoder, roundTrip } from "./round-trip.ts";
import { difference } from "./same-graph.ts";

const float16 = (globalThis as { Float16Array?: unknown }).Float16Array;
const constructors = [
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
  ...(float16 === undefined ? [] : [float16]),
] as (new (buffer: ArrayBufferLike, offset?: number, length?: number) => ArrayBufferView)[];

const filled = (length: number) => Uint8Array.from({ length }, (_, i) => i * 7).buffer;

describe("bytes", () => {
  for (const type of constructors) {
    it(`${type.name}: whole, empty, on a part, several on one buffer, on a resizable and on a shared one`, () => {
      const buffer = filled(64);
      const resizable = new ArrayBuffer(64, { maxByteLength: 128 });
      const values: unknown[] = [
        new type(filled(64)),
        new type(new ArrayBuffer(0)),
        new type(filled(64), 8, 2),
        [new type(buffer), new Uint8Array(buffer, 3, 5), buffer],
        [buffer, new type(buffer), new type(buffer)],
        [new type(resizable), resizable],
        [new type(resizable, 8, 1)],
      ];
      for (const value of values)
        expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
      const shared = new SharedArrayBuffer(64);
      const copy = roundTrip({ view: new type(shared, 8, 2), shared }) as {
        view: ArrayBufferView;
        shared: object;
      };
      expect(copy.shared).toBe(shared);
      expect(copy.view).toBeInstanceOf(type);
      expect([copy.view.buffer, copy.view.byteOffset]).toEqual([shared, 8]);
    });
  }

  it("a view that follows its resizable buffer still follows it on arrival", () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
    const copy = roundTrip(new Uint8Array(buffer)) as Uint8Array<ArrayBuffer>;
    copy.buffer.resize(16);
    expect(copy).toHaveLength(16);
  });

  it("a Buffer arrives as a Buffer with only its own bytes, not the pool that it was cut from", () => {
    const small = Buffer.from("hello");
    expect(small.buffer.byteLength).toBeGreaterThan(5);
    const copy = roundTrip([small, Buffer.from("world"), small]) as Buffer[];
    expect(encoded(encoder, [small]).length).toBeLessThan(32);
    expect(copy.map((part) => part.toString("utf8"))).toEqual(["hello", "world", "hello"]);
    expect(copy[0]!.buffer.byteLength).toBe(5);
    expect(copy[0]).toBe(copy[2]);
    expect(copy.map((part) => Buffer.isBuffer(part))).toEqual([true, true, true]);
    expect(copy[1]!.buffer).not.toBe(copy[0]!.buffer);
  });

  it("a Buffer arrives as a Buffer at every depth and of every length", () => {
    for (const length of [0, 1, 100, 5_000, 20_000]) {
      const buffer = Buffer.alloc(length, "ab");
      const value = {
        list: [buffer],
        map: new Map<unknown, unknown>([["key", buffer], [Buffer.from("k"), 1]]), // prettier-ignore
        set: new Set([Buffer.from("member")]),
        error: new Error("x", { cause: Buffer.from("cause") }),
        bytes: new Uint8Array(buffer),
      };
      const copy = roundTrip(value) as typeof value;
      expect(copy.list[0]!.equals(buffer)).toBe(true);
      expect(copy.map.get("key")).toBe(copy.list[0]);
      expect([...copy.map.keys()].map((key) => Buffer.isBuffer(key))).toEqual([false, true]);
      expect([...copy.set][0]!.toString("utf8")).toBe("member");
      expect(Buffer.isBuffer(copy.error.cause)).toBe(true);
      expect(Buffer.isBuffer(copy.bytes)).toBe(false);
    }
  });

  it("an instance of a class derived from Buffer arrives as a Buffer; one derived from Uint8Array as a Uint8Array", () => {
    const derived = Object.setPrototypeOf(Buffer.from("abc"), Object.create(Buffer.prototype)) as Buffer;
    expect((roundTrip(derived) as Buffer).toString("latin1")).toBe("abc");
    class Pixels extends Uint8Array {
      override get buffer(): ArrayBuffer {
        throw new Error("read through a class");
      }
    }
    expect(Object.getPrototypeOf(roundTrip(new Pixels(3)))).toBe(Uint8Array.prototype);
  });

  it("a Buffer on shared memory stays on that memory", () => {
    const shared = new SharedArrayBuffer(8);
    const copy = roundTrip(Buffer.from(shared, 2, 4)) as Buffer;
    expect(Buffer.isBuffer(copy)).toBe(true);
    expect([copy.buffer, copy.byteOffset, copy.length]).toEqual([shared, 2, 4]);
  });

  it("a Buffer whose memory is gone is refused", () => {
    const buffer = Buffer.from(new ArrayBuffer(8));
    structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
    expect(() => encoder.encode([{ buffer }], "args")).toThrow("args[0].buffer is a detached ArrayBuffer");
  });

  it("a Buffer between views of other buffers does not disturb their aliases", () => {
    const shared = new Uint8Array(8).fill(1);
    const value = { a: shared, b: Buffer.from("x"), c: shared.buffer, d: [shared] };
    const copy = roundTrip(value) as typeof value;
    expect(copy.c).toBe(copy.a.buffer);
    expect(copy.d[0]).toBe(copy.a);
  });

  it("the result shares no memory with the message", () => {
    const bytes = encoded(encoder, { bytes: new Uint8Array([1, 2, 3]), view: new Float64Array([1.5]) });
    const copy = decoder.decode(bytes, 0, bytes.length) as { bytes: Uint8Array; view: Float64Array };
    bytes.fill(0);
    expect([...copy.bytes, ...copy.view]).toEqual([1, 2, 3, 1.5]);
    expect(copy.bytes.buffer.byteLength).toBe(3);
  });

  it("a view whose buffer does not reach as far any more is refused, as by structured clone; of an error it is left out", () => {
    for (const type of [Uint8Array, Float64Array, DataView] as unknown as typeof constructors) {
      for (const [offset, length] of [[8, 8], [16]] as const) {
        const buffer = new ArrayBuffer(16, { maxByteLength: 32 });
        const view = new type(
          buffer,
          offset,
          length === undefined ? undefined : type === Float64Array ? 1 : length,
        );
        expect(roundTrip({ view })).toMatchObject({ view: { byteLength: view.byteLength } });
        buffer.resize(8);
        expect(() => structuredClone(view)).toThrow(DOMException);
        expect(() => roundTrip({ list: [1, view] })).toThrow(
          /result\.list\[1\] lies beyond the end of its ArrayBuffer/,
        );
        const wire = toWire(Object.assign(new Error("x"), { view, kept: 1 }));
        const error = fromWire(roundTrip(wire) as ErrorWire) as Error & { kept: number };
        expect(error).toMatchObject({ message: "x", kept: 1 });
        expect(error).not.toHaveProperty("view");
      }
    }
    const empty = new ArrayBuffer(0, { maxByteLength: 32 });
    expect(roundTrip([new Uint8Array(empty), new DataView(empty), new Uint8Array(empty, 0, 0)])).toHaveLength(
      3,
    );
  });

  it("a detached buffer is refused, also below a view", () => {
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    expect(() => encoder.encode([buffer], "args")).toThrow("args[0] is a detached ArrayBuffer");
    expect(() => encoder.encode([{ view }], "args")).toThrow("args[0].view is a detached ArrayBuffer");
  });

  it("ten megabytes arrive unharmed", () => {
    const value = new Uint8Array(10 * 1024 * 1024).map((_, i) => i);
    expect(Buffer.compare(roundTrip(value) as Uint8Array, value)).toBe(0);
  });
});

/** Values that are moved, and values that only a message carries, against structuredClone with a transfer list. */
// oxlint-disable typescript/no-unsafe-type-assertion -- values of every kind are what is tested
import { createSecretKey } from "node:crypto";
import { BlockList, SocketAddress } from "node:net";
import { createHistogram } from "node:perf_hooks";
import { types } from "node:util";
import { isMarkedAsUntransferable, type Transferable } from "node:worker_threads";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { carriedIdOf, NotArrived } from "../../src/codec/carried.ts";
import { Decoder } from "../../src/codec/decoder.ts";
import { Encoder } from "../../src/codec/encoder.ts";
import type { SharedBufferTable } from "../../src/codec/shared-buffer-table.ts";
import { CarriedValues } from "../../src/transfer/carried-values.ts";
import { detach, detachCopied } from "../../src/transfer/detach.ts";
import { graph } from "./arbitrary-value.ts";
import { sharedBufferTable } from "./round-trip.ts";
import { difference } from "./same-graph.ts";

const table = sharedBufferTable();
const carried = new CarriedValues(3, () => {});
const encoder = new Encoder(table, carried.nextId);
const decoder = new Decoder(table, carried);

function send(
  value: unknown,
  transfer: readonly Transferable[] | null,
  apartFrom?: number,
): { bytes: Uint8Array; id: number } {
  const message = encoder.encode(value, "result", transfer, apartFrom);
  try {
    const bytes = message.bytes.slice(0, message.length);
    if (message.copied !== null) detachCopied(message.copied, "result");
    if (message.carried !== null) carried.add(detach(message.carried, "result"));
    return { bytes, id: message.carried?.id ?? 0 };
  } finally {
    message.release();
  }
}

function roundTrip(
  value: unknown,
  transfer: readonly Transferable[] | null = null,
  apartFrom?: number,
): unknown {
  const { bytes } = send(value, transfer, apartFrom);
  return decoder.decode(bytes, 0, bytes.length);
}

/** The ArrayBuffers in a value, in the order in which they are met. */
function buffersIn(value: unknown, found = new Set<ArrayBuffer>(), seen = new Set<unknown>()): ArrayBuffer[] {
  if (typeof value !== "object" || value === null || seen.has(value)) return [...found];
  seen.add(value);
  const visit = (member: unknown): unknown => buffersIn(member, found, seen);
  if (types.isArrayBuffer(value)) {
    if (!isMarkedAsUntransferable(value)) found.add(value);
  } else if (ArrayBuffer.isView(value)) visit(value.buffer);
  else if (value instanceof Map) for (const entry of value) entry.forEach(visit);
  else if (value instanceof Set) value.forEach(visit);
  else if (value instanceof Error) visit(value.cause);
  else for (const key of Object.keys(value)) visit((value as Record<string, unknown>)[key]);
  return [...found];
}

/** More than is copied: with it in the list, everything that is moved is carried. */
function makeLarge(): ArrayBuffer {
  return new ArrayBuffer((16 << 10) + 1);
}

describe.each([
  ["little: copied, then detached", (): ArrayBuffer[] => []],
  ["much: carried", (): ArrayBuffer[] => [makeLarge()]],
])("moved values, %s", (_lane, more) => {
  it("arrive as structuredClone with the same transfer list would give them, and are detached", () => {
    fc.assert(
      fc.property(graph, fc.infiniteStream(fc.boolean()), (value, choice) => {
        const copy = structuredClone(value);
        const pick = (all: ArrayBuffer[], taken: boolean[]) => all.filter((_, i) => taken[i]);
        const buffers = buffersIn(value);
        const taken = buffers.map(() => choice.next().value === true);
        const transfer = pick(buffers, taken);
        // Errors that structured clone makes anew lose what the graph gave them: the same for both.
        const copies = buffersIn(copy);
        fc.pre(copies.length === buffers.length);
        const expected = structuredClone(copy, { transfer: pick(copies, taken) });
        const actual = roundTrip(value, transfer.length === 0 ? null : [...transfer, ...more()]);
        expect(difference(actual, expected)).toBeUndefined();
        expect(buffers.map((buffer) => buffer.detached)).toEqual(taken);
      }),
      { numRuns: 500 },
    );
  });

  it("a Buffer whose memory is moved arrives as a Buffer on it", () => {
    const buffer = Buffer.from(new ArrayBuffer(16), 4, 8);
    const copy = roundTrip([buffer], [buffer.buffer, ...more()]) as [Buffer];
    expect(Buffer.isBuffer(copy[0])).toBe(true);
    expect([copy[0].byteOffset, copy[0].length, copy[0].buffer.byteLength]).toEqual([4, 8, 16]);
    expect(buffer.length).toBe(0);
  });

  it("a resizable buffer stays resizable, and a view that follows it still does", () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 32 });
    const [view] = roundTrip([new Uint8Array(buffer)], [buffer, ...more()]) as [Uint8Array<ArrayBuffer>];
    expect(view.buffer.maxByteLength).toBe(32);
    view.buffer.resize(20);
    expect(view).toHaveLength(20);
  });

  it("are detached too when the value does not hold them, as with postMessage", () => {
    const buffer = new ArrayBuffer(8);
    expect(roundTrip("nothing", [buffer, ...more()])).toBe("nothing");
    expect(buffer.detached).toBe(true);
  });

  it("are met twice as one object", () => {
    const buffer = new ArrayBuffer(8);
    const [a, b] = roundTrip([buffer, { again: buffer }], [buffer, ...more()]) as [object, { again: object }];
    expect(b.again).toBe(a);
  });

  it("a port is met twice as one object", () => {
    const { port1, port2 } = new MessageChannel();
    const [a, b] = roundTrip([port2, port2], [port2]) as [object, object];
    expect(a).toBe(b);
    expect(a).toBeInstanceOf(MessagePort);
    port1.close();
  });

  it("nothing is detached while the value is only encoded", () => {
    const buffer = new ArrayBuffer(8);
    encoder.encode([buffer], "args", [buffer, ...more()]).release();
    expect(buffer.detached).toBe(false);
    expect(() => encoder.encode([buffer, () => 1], "args", [buffer, ...more()])).toThrow(
      "args[1] is a function",
    );
    expect(buffer.detached).toBe(false);
  });

  it("what cannot be moved, and was not found before, is refused with the others left alone", () => {
    const buffer = new ArrayBuffer(8);
    const pool = Buffer.from("x").buffer;
    expect(() => roundTrip([buffer, pool], [buffer, pool, ...more()])).toThrow(
      "result holds, or is to move, what Node refuses",
    );
    expect(buffer.detached).toBe(false);
  });
});

describe("which moved values are in the message", () => {
  it("those of up to 16 KB together", () => {
    const halves = [new ArrayBuffer(8 << 10), new ArrayBuffer(8 << 10)];
    const left = (value: unknown, transfer: readonly Transferable[] | null = null) => {
      const message = encoder.encode(value, "args", transfer);
      const { copied, carried } = message;
      message.release();
      return [copied, carried?.values ?? null];
    };
    expect(left(halves, halves)).toEqual([halves, null]);
    const more = [...halves, new ArrayBuffer(1)];
    expect(left(halves, more)).toEqual([null, halves]);
    expect(left([1])).toEqual([null, null]);
  });

  it("none when something else is moved with them", () => {
    const { port1, port2 } = new MessageChannel();
    const buffer = new ArrayBuffer(8);
    const message = encoder.encode([buffer, port2], "args", [buffer, port2]);
    expect([message.copied, message.carried?.values]).toEqual([null, [buffer, port2]]);
    message.release();
    port1.close();
  });

  it("beside what only a message carries", () => {
    const buffer = new ArrayBuffer(8);
    const [copy, blob] = roundTrip([buffer, new Blob(["x"])], [buffer]) as [ArrayBuffer, Blob];
    expect([copy.byteLength, blob.size, buffer.detached]).toEqual([8, 1, true]);
  });

  it("memory that cannot be detached is refused", () => {
    const { buffer } = new (
      globalThis as unknown as { WebAssembly: { Memory: new (options: object) => { buffer: ArrayBuffer } } }
    ).WebAssembly.Memory({ initial: 0 });
    expect(() => roundTrip([buffer], [buffer])).toThrow("result holds, or is to move, what Node refuses");
  });
});

describe("values that only a message carries", () => {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => object;
      Memory: new (options: object) => { buffer: SharedArrayBuffer };
    };
  };
  const values: [name: string, value: object][] = [
    ["Blob", new Blob(["text"], { type: "text/plain" })],
    ["File", new File(["text"], "name.txt")],
    ["KeyObject", createSecretKey(Buffer.alloc(16, 7))],
    ["BlockList", new BlockList()],
    ["SocketAddress", new SocketAddress({ address: "10.0.0.1", port: 80 })],
    ["histogram", createHistogram()],
    ["WebAssembly.Module", new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))],
    ["shared WebAssembly.Memory", new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })],
  ];
  it.each(values)("%s: as structuredClone gives it, at the top, nested, and twice", (_name, value) => {
    const expected = structuredClone(value);
    expect(Object.getPrototypeOf(roundTrip(value))).toBe(Object.getPrototypeOf(expected));
    const nested = roundTrip({ list: [value, { again: value }] }) as { list: [object, { again: object }] };
    expect(Object.getPrototypeOf(nested.list[0])).toBe(Object.getPrototypeOf(expected));
    expect(nested.list[1].again).toBe(nested.list[0]);
  });

  it("keep their contents", async () => {
    const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
    const copy = roundTrip({ blob: new Blob(["text"]), key, secret: createSecretKey(Buffer.from("secret")) });
    const {
      blob,
      key: keyCopy,
      secret,
    } = copy as { blob: Blob; key: typeof key; secret: { export(): Buffer } };
    expect(await blob.text()).toBe("text");
    expect(await crypto.subtle.exportKey("raw", keyCopy)).toEqual(await crypto.subtle.exportKey("raw", key));
    expect(secret.export().toString()).toBe("secret");
  });
});

describe("the message and what it carries", () => {
  it("a message that carries nothing names nothing", () => {
    const { bytes, id } = send({ a: 1 }, null);
    expect([id, carriedIdOf(bytes, 0, bytes.length)]).toEqual([0, 0]);
  });

  it("a message names what it carries by a number that is never used again", () => {
    const ids = [1, 2, 3].map((n) => {
      const { bytes, id } = send([new Blob([String(n)])], null);
      expect(carriedIdOf(bytes, 0, bytes.length)).toBe(id);
      return id;
    });
    expect(new Set(ids).size).toBe(3);
  });

  it("can be read later when the values have not come yet", () => {
    const message = encoder.encode([new Blob(["x"]), "y"], "result");
    const bytes = message.bytes.slice(0, message.length);
    const values = message.carried!;
    message.release();
    const { length } = bytes;
    expect(() => decoder.decode(bytes, 0, length)).toThrow(NotArrived);
    carried.add(detach(values, "result"));
    expect(decoder.decode(bytes, 0, length)).toMatchObject([expect.any(Blob), "y"]);
  });

  it("is given up as a whole if the message that could not be read yet is not wanted any more", async () => {
    const { port1, port2 } = new MessageChannel();
    const closed = new Promise((resolve) => port2.addEventListener("close", resolve));
    port2.start();
    const missing: SharedBufferTable = {
      idOf: () => 1,
      fromId: (id) => {
        throw new NotArrived(-id);
      },
    };
    const { bytes, id } = send([port1, new SharedArrayBuffer(1)], [port1]);
    expect(() => new Decoder(missing, carried).decode(bytes, 0, bytes.length)).toThrow(NotArrived);
    carried.drop(id);
    expect(await closed).toMatchObject({ type: "close" });
  });

  it("a getter that encodes another message does not disturb either", () => {
    const inner = { blob: new Blob(["inner"]) };
    let innerId = 0;
    const outer = {
      get nested() {
        innerId = encoder.encode(inner, "result").carried!.id;
        return 1;
      },
    };
    const message = encoder.encode(outer, "result");
    message.release();
    expect(message.carried).toBeNull();
    expect(innerId).toBeGreaterThan(0);
  });

  it("an index beyond what came is an error with a code", () => {
    const { bytes } = send([new Blob(["x"])], null);
    bytes[3] = 9;
    expect(() => decoder.decode(bytes, 0, bytes.length)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_CORRUPT_MESSAGE" }),
    );
  });
});

describe("bytes that leave apart", () => {
  it("arrive as structuredClone would give them, also beside what is moved", () => {
    fc.assert(
      fc.property(graph, fc.infiniteStream(fc.boolean()), (value, choice) => {
        const copy = structuredClone(value);
        const pick = (all: ArrayBuffer[], taken: boolean[]) => all.filter((_, i) => taken[i]);
        const buffers = buffersIn(value);
        const copies = buffersIn(copy);
        fc.pre(copies.length === buffers.length);
        const taken = buffers.map(() => choice.next().value === true);
        const transfer = pick(buffers, taken);
        const expected = structuredClone(copy, { transfer: pick(copies, taken) });
        const actual = roundTrip(value, transfer.length === 0 ? null : transfer, 0);
        expect(difference(actual, expected)).toBeUndefined();
        expect(buffers.map((buffer) => buffer.detached)).toEqual(taken);
      }),
      { numRuns: 500 },
    );
  });

  it("are copies: their sender keeps what it has, and they share no memory", () => {
    const bytes = new Uint8Array(100).fill(7);
    const [first, second, buffer] = roundTrip([bytes, bytes, bytes.buffer], null, 100) as [
      Uint8Array,
      Uint8Array,
      ArrayBuffer,
    ];
    expect(first).toBe(second);
    expect(first.buffer).toBe(buffer);
    expect(first).toEqual(bytes);
    first[0] = 1;
    expect(bytes[0]).toBe(7);
  });

  it("are those of a Buffer only, not of what it was cut from", () => {
    const buffer = Buffer.from(new ArrayBuffer(100), 10, 50).fill(7);
    const copy = roundTrip(buffer, null, 50) as Buffer;
    expect(Buffer.isBuffer(copy)).toBe(true);
    expect([copy.length, copy.buffer.byteLength, copy[49]]).toEqual([50, 50, 7]);
  });

  it("go with the message below the limit", () => {
    expect(send(new Uint8Array(99), null, 100).id).toBe(0);
    expect(send(new Uint8Array(100), null, 100).id).toBeGreaterThan(0);
    expect(send(new Uint8Array(100), null).id).toBe(0);
  });

  it("are counted", () => {
    const message = encoder.encode(
      [new Uint8Array(99), new ArrayBuffer(100), Buffer.alloc(101)],
      "result",
      null,
      100,
    );
    message.release();
    expect(message.apartBytes).toBe(201);
    const next = encoder.encode([new Uint8Array(99)], "result", null, 100);
    next.release();
    expect(next.apartBytes).toBe(0);
  });

  it("are read when everything has been visited: what a getter changes is seen, what it takes away is refused", () => {
    const bytes = new Uint8Array(100);
    const late = {
      get value() {
        bytes[0] = 9;
        return 1;
      },
    };
    const [copy] = roundTrip([bytes, late], null, 100) as [Uint8Array];
    expect(copy[0]).toBe(9);
    const gone = {
      get value() {
        bytes.buffer.transfer();
        return 1;
      },
    };
    expect(() => roundTrip([bytes, gone], null, 100)).toThrow("it was transferred before");
  });

  it.each([
    ["latin1", "\u00e9"],
    ["UTF-16", "\u20ac"],
  ])("may be a long text: %s", (_name, character) => {
    const text = character.repeat((512 << 10) + 1);
    const { bytes, id } = send([text, { text }], null, 64 << 10);
    expect(id).toBeGreaterThan(0);
    expect(bytes.length).toBeLessThan(100);
    const copy = decoder.decode(bytes, 0, bytes.length) as [string, { text: string }];
    expect(copy[0] === text && copy[1].text === text).toBe(true);
    expect(send(text, null).id).toBe(0);
  });

  it("a carried value that is no memory is an error with a code", () => {
    const { bytes } = send([new Uint8Array(100), new Blob(["x"])], null, 100);
    // Flag, array, view: tag, length, kind, index.
    bytes[8] = 1;
    expect(() => decoder.decode(bytes, 0, bytes.length)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_CORRUPT_MESSAGE" }),
    );
  });
});

/** A pump and the reader of its job on one thread, over real memory: every row of their two tables. */
import { AsyncScope } from "@skein/context";
import { beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../../test/support/eventually.ts";
import { Decoder } from "../../src/codec/decoder.ts";
import { Encoder } from "../../src/codec/encoder.ts";
import { stream, type StreamArgumentOptions } from "../../src/engine/stream-argument.ts";
import { streamsIn } from "../../src/codec/marked-streams.ts";
import { ArgumentPump } from "../../src/submit/argument-pump.ts";
import { CarriedValues } from "../../src/transfer/carried-values.ts";
import { SharedBuffers } from "../../src/transfer/shared-buffers.ts";
import { ArgumentReader, type ReaderParts } from "../../src/worker/argument-reader.ts";
import { ArgumentReaders } from "../../src/worker/argument-readers.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { PoolMemory } from "../../src/shared/pool-memory.ts";
import { ownMemories } from "../shared/own-memories.ts";

const nothing = (): void => {};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const HIGH_WATER_MARK = 4;

/** Gives the numbers from 0 on. */
class Source implements AsyncIterableIterator<unknown> {
  pulled = 0;
  returned = 0;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  async next(): Promise<IteratorResult<unknown>> {
    if (this.pulled === this.#count) return { done: true, value: undefined };
    return { done: false, value: this.itemAt(this.pulled++) };
  }

  itemAt(index: number): unknown {
    return index;
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.returned++;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

let memories: ReturnType<typeof ownMemories>;
let carried: CarriedValues;
let isStopping: boolean;
let left: number;
let heldUp: number[];
let isLate: boolean;

function link(source: Source, options: StreamArgumentOptions<unknown> = {}) {
  const argument = stream(source, { highWaterMark: HIGH_WATER_MARK, ...options });
  const [{ marked, path } = expect.unreachable()] = streamsIn([argument]);
  const pump = new ArgumentPump(marked, path, AsyncScope.capture());
  const { payloads, arenas } = memories;
  const sharedBuffers = new SharedBuffers(1, nothing, { announce: nothing, gone: nothing });
  const open = (): void => {
    const encoder = new Encoder(sharedBuffers, carried.nextId);
    const carry: (values: Parameters<CarriedValues["add"]>[0]) => void = (values) => {
      if (!isLate) carried.add(values);
      late.push(values);
    };
    const block = pump.open({ encoder, payloads, sharedBuffers, carry }, (error) =>
      expect.unreachable(String(error)),
    );
    if (block !== 0) reader.opened(payloads.arenaOf(block), payloads.blockOf(block));
  };
  const late: Parameters<CarriedValues["add"]>[0][] = [];
  const parts: ReaderParts = {
    arenas,
    decoder: new Decoder(sharedBuffers, carried),
    ask: open,
    leave: () => {
      left++;
      pump.end();
    },
    heldUp: (_, id) => void heldUp.push(id),
    isStopping: () => isStopping,
  };
  const { number, highWaterMark } = marked;
  const reader = new ArgumentReader(1, 0, { submitter: 0, number, highWaterMark }, parts);
  return { pump, reader, late };
}

/** As when its job is over: its slot is free before it is told. */
function finish({ pump, reader }: ReturnType<typeof link>): number[] {
  reader.close();
  const carriedIds = pump.free();
  pump.end();
  return carriedIds;
}

async function collect(reader: ArgumentReader): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of reader) items.push(item);
  return items;
}

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable("it resolved"),
    (error: unknown) => error,
  );

beforeEach(() => {
  memories = ownMemories(1);
  carried = new CarriedValues(1, nothing);
  isStopping = false;
  left = 0;
  heldUp = [];
  isLate = false;
});

describe("the pump", () => {
  it("CLOSED: reads nothing, has no memory; ended then, it releases its source all the same, once", async () => {
    const source = new Source(10);
    const both = link(source);
    await turn();
    expect(source.pulled).toBe(0);
    both.pump.end();
    both.pump.end();
    expect(source.returned).toBe(1);
    // It is too late.
    expect(finish(both)).toEqual([]);
    expect(source.returned).toBe(1);
  });

  it("PULLING, FULL: is at most highWaterMark items ahead, and goes on when half of them were read", async () => {
    const source = new Source(1000);
    const both = link(source);
    expect(await both.reader.next()).toEqual({ done: false, value: 0 });
    for (let i = 1; i < 50; i++) {
      await turn();
      expect(source.pulled).toBeLessThanOrEqual(i + HIGH_WATER_MARK);
      expect(await both.reader.next()).toEqual({ done: false, value: i });
    }
    finish(both);
    expect(source.returned).toBe(1);
  });

  it("RESTING: a source that always has an item leaves the event loop its turns", async () => {
    const source = new Source(200_000);
    const both = link(source, { highWaterMark: 60_000 });
    await both.reader.next();
    let turns = 0;
    while (source.pulled < 60_000 && ++turns < 1_000_000) await turn();
    expect(turns).toBeGreaterThan(0);
    finish(both);
  });

  it("LAST: the end, and what the source throws, come behind the items; it is not released then", async () => {
    const source = new Source(3);
    const both = link(source);
    expect(await collect(both.reader)).toEqual([0, 1, 2]);
    finish(both);
    expect([source.returned, left]).toEqual([0, 0]);

    const failing = new Source(5);
    failing.itemAt = (index) => {
      if (index === 2) throw Object.assign(new RangeError("no 2"), { code: "E_TWO" });
      return index;
    };
    const second = link(failing);
    expect([await second.reader.next(), await second.reader.next()]).toMatchObject([
      { value: 0 },
      { value: 1 },
    ]);
    expect(await errorOf(second.reader.next())).toMatchObject({
      name: "RangeError",
      message: "no 2",
      code: "E_TWO",
    });
    expect(await second.reader.next()).toEqual({ done: true, value: undefined });
    finish(second);
    expect(failing.returned).toBe(0);
  });

  it("OVER: ended while it is full, or while the source is asked, it reads no more", async () => {
    const source = new Source(1000);
    const both = link(source);
    await both.reader.next();
    await turn();
    const { pulled } = source;
    both.pump.end();
    await turn();
    expect([source.pulled, source.returned]).toEqual([pulled, 1]);
    finish(both);

    const waiting = new Source(1000);
    const { promise, resolve } = Promise.withResolvers<IteratorResult<unknown>>();
    waiting.next = () => {
      waiting.pulled++;
      return promise;
    };
    const second = link(waiting);
    const next = second.reader.next();
    await turn();
    second.pump.end();
    finish(second);
    resolve({ done: false, value: 1 });
    await turn();
    expect([waiting.pulled, waiting.returned]).toEqual([1, 1]);
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it("frees what it had: the ring, and items that lay apart, read or not", async () => {
    const { payloads } = memories;
    let size = 0;
    for (let i = 0; i < 40; i++) {
      const source = new Source(10);
      source.itemAt = () => new Uint8Array(300_000);
      const both = link(source);
      expect(await both.reader.next()).toMatchObject({ value: { length: 300_000 } });
      await turn();
      finish(both);
      if (i === 1) size = payloads.sizeBytes;
    }
    expect(payloads.sizeBytes).toBe(size);
  });

  it("says what was sent and not read, when its job is over", async () => {
    const source = new Source(100);
    source.itemAt = () => new Uint8Array(20_000);
    const both = link(source, { move: (item) => [(item as Uint8Array).buffer as ArrayBuffer] });
    await both.reader.next();
    await turn();
    const sent = both.late.map(({ id }) => id);
    expect(sent.length).toBeGreaterThan(1);
    expect(finish(both)).toEqual(sent.slice(1));
  });

  it("an item that cannot be sent ends it: the source is released, and the job is told in its place", async () => {
    const source = new Source(10);
    source.itemAt = (index) => (index === 2 ? { fn: nothing } : index);
    const both = link(source);
    await both.reader.next();
    await both.reader.next();
    expect(await errorOf(both.reader.next())).toMatchObject({
      code: "ERR_SKEIN_NOT_CLONEABLE",
      path: "args[0] → item 2.fn",
    });
    expect(source.returned).toBe(1);
    finish(both);
  });

  it("code of an item that ends the job: nothing is written any more", async () => {
    const source = new Source(10);
    const both = link(source);
    let carriedIds: number[] | null = null;
    source.itemAt = () => ({
      get value() {
        carriedIds ??= finish(both);
        return 1;
      },
    });
    const next = both.reader.next();
    expect(await next).toEqual({ done: true, value: undefined });
    await turn();
    expect(carriedIds).toEqual([]);
    expect(source.returned).toBe(1);
  });
});

describe("the reader", () => {
  it("UNASKED: closed then, its source is told only if the job has left it", async () => {
    const one = link(new Source(3));
    await one.reader.return();
    expect(left).toBe(1);
    expect(await one.reader.next()).toEqual({ done: true, value: undefined });
    const two = link(new Source(3));
    two.reader.close();
    expect(left).toBe(1);
    expect(await two.reader.next()).toEqual({ done: true, value: undefined });
    finish(one);
    finish(two);
  });

  it("ASKED, OPEN: several calls of `next` are answered in order", async () => {
    const both = link(new Source(3));
    const results = await Promise.all([1, 2, 3, 4, 5].map(() => both.reader.next()));
    expect(results.map(({ value, done }) => (done === true ? "end" : value))).toEqual([
      0,
      1,
      2,
      "end",
      "end",
    ]);
    finish(both);
  });

  it("HELD: an item waits for what comes by another way, and those behind it wait, too", async () => {
    isLate = true;
    const source = new Source(3);
    source.itemAt = (index) => (index === 1 ? new Uint8Array(20_000).fill(7) : index);
    const both = link(source, {
      move: (item) => (typeof item === "number" ? [] : [(item as Uint8Array).buffer as ArrayBuffer]),
    });
    const results = [both.reader.next(), both.reader.next(), both.reader.next()];
    expect(await results[0]).toMatchObject({ value: 0 });
    while (heldUp.length === 0) await turn();
    expect(heldUp).toEqual([both.late[0]!.id]);
    carried.add(both.late[0]!);
    both.reader.arrived();
    expect((await results[1]!).value).toMatchObject({ length: 20_000, 0: 7 });
    expect(await results[2]).toMatchObject({ value: 2 });
    finish(both);
  });

  it("CLOSED: stopped while it waits, before it waits, and while it holds up", async () => {
    const waiting = new Source(3);
    waiting.next = () => new Promise(nothing);
    const one = link(waiting);
    const next = one.reader.next();
    await turn();
    one.reader.stop();
    expect(await errorOf(next)).toMatchObject({ name: "AbortError", code: "ERR_SKEIN_JOB_CANCELED" });
    expect(await one.reader.next()).toEqual({ done: true, value: undefined });
    finish(one);

    const two = link(new Source(3));
    isStopping = true;
    expect(await errorOf(two.reader.next())).toMatchObject({ name: "AbortError" });
    isStopping = false;
    finish(two);
    expect(await two.reader.next()).toEqual({ done: true, value: undefined });
  });

  it("leaves the loop: the source is released at once, and `throw` tells the job its own error", async () => {
    const source = new Source(1000);
    const both = link(source);
    for await (const item of both.reader) if (item === 2) break;
    expect([left, source.returned]).toEqual([1, 1]);
    finish(both);
    expect(source.returned).toBe(1);
    const second = link(new Source(1000));
    expect(await errorOf(second.reader.throw(new RangeError("mine")))).toMatchObject({ message: "mine" });
    expect(left).toBe(2);
    finish(second);
  });
});

describe("the readers of a thread", () => {
  it("may wait for the same memory; when it comes in the middle of decoding, they go on behind that", async () => {
    const layout = createLayout(4, 1, 4);
    const control = new SharedArrayBuffer(layout.controlBytes);
    const memory = new PoolMemory(control, new SharedArrayBuffer(layout.slotsBytes), layout, 1);
    const announced: (readonly [id: number, buffer: SharedArrayBuffer])[] = [];
    const announce = (id: number, buffer: SharedArrayBuffer): void => void announced.push([id, buffer]);
    const theirs = new SharedBuffers(2, nothing, { announce, gone: nothing });
    let looks = 0;
    let isHere = false;
    const takeMessages = (): void => {
      looks++;
      if (!isHere) return;
      for (const [id, buffer] of announced.splice(0)) {
        ours.add(id, buffer);
        inputs.arrived(-id);
      }
    };
    const ours = new SharedBuffers(1, takeMessages, { announce: nothing, gone: nothing });
    const { payloads, arenas } = memories;
    const pumps = new Map<number, ArgumentPump>();
    const inputs = new ArgumentReaders({
      memory,
      serial: 1,
      arenas,
      sharedBuffers: ours,
      carried,
      send: (message) => {
        if (message.type !== "argument-wanted") return;
        const encoder = new Encoder(theirs, carried.nextId);
        const parts = { encoder, payloads, sharedBuffers: theirs, carry: nothing };
        const ring = pumps.get(message.number)!.open(parts, (error) => expect.unreachable(String(error)));
        const [arena, block] = [payloads.arenaOf(ring), payloads.blockOf(ring)];
        inputs.heard({ type: "argument-opened", to: 1, reader: message.reader, arena, block });
      },
    });
    inputs.slot = 0;
    const next = async (item: unknown): Promise<unknown> => {
      const [{ marked, path } = expect.unreachable()] = streamsIn([stream([item])]);
      pumps.set(marked.number, new ArgumentPump(marked, path, AsyncScope.capture()));
      return (await inputs.received(marked.number, marked.highWaterMark).next()).value;
    };
    const words = new Int32Array(new SharedArrayBuffer(4));
    const others = new Int32Array(new SharedArrayBuffer(4));
    const items = [next(words), next({ words })];
    await eventually("both wait", () => looks === 2);
    isHere = true;
    const behind = next({ head: "head", others, tail: ["tail", 1.5] });
    expect(await behind).toEqual({ head: "head", others, tail: ["tail", 1.5] });
    expect(await Promise.all(items)).toEqual([words, { words }]);
    inputs.endOf(0);
    for (const pump of pumps.values()) pump.free();
    for (const pump of pumps.values()) pump.end();
  });
});

import { describe, expect, it } from "vitest";
import { NotArrived } from "../../src/codec/carried.ts";
import { SharedBuffers } from "../../src/transfer/shared-buffers.ts";

type Announced = [id: number, buffer: SharedArrayBuffer];

function create(serial: number, gone: (id: number) => void = () => {}) {
  const announced: Announced[] = [];
  const messages: (() => void)[] = [];
  const buffers = new SharedBuffers(serial, () => messages.splice(0).forEach((take) => take()), {
    announce: (id, buffer) => announced.push([id, buffer]),
    gone,
  });
  return { buffers, announced, messages };
}

describe("SharedBuffers", () => {
  it("announces a buffer once and keeps its number", () => {
    const { buffers, announced } = create(1);
    const buffer = new SharedArrayBuffer(8);
    const id = buffers.idOf(buffer);
    expect(buffers.idOf(buffer)).toBe(id);
    expect(announced).toEqual([[id, buffer]]);
    expect(buffers.fromId(id)).toBe(buffer);
  });

  it("says which buffers a message names, whatever is encoded within it", () => {
    const { buffers } = create(1);
    const [a, b, c] = [8, 8, 8].map((bytes) => new SharedArrayBuffer(bytes));
    buffers.idOf(c!);
    const outer = buffers.beginMessage();
    buffers.idOf(a!);
    const inner = buffers.beginMessage();
    expect(buffers.endMessage(inner)).toBe(null);
    const second = buffers.beginMessage();
    buffers.idOf(b!);
    expect(buffers.endMessage(second)).toEqual([b]);
    buffers.idOf(c!);
    expect(buffers.endMessage(outer)).toEqual([a, c]);
  });

  it("numbers of all threads differ, and a payload holds them", () => {
    const ids = [0, 1, 2047, 2 ** 20 - 1].map((serial) =>
      create(serial).buffers.idOf(new SharedArrayBuffer(8)),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect([...Float64Array.from(ids)]).toEqual(ids);
    expect(ids.every(Number.isSafeInteger)).toBe(true);
  });

  it("a received buffer goes back under the number that it came with", () => {
    const { buffers, announced } = create(1);
    const buffer = new SharedArrayBuffer(8);
    buffers.add(5, buffer);
    expect(buffers.fromId(5)).toBe(buffer);
    expect(buffers.idOf(buffer)).toBe(5);
    expect(announced).toEqual([]);
  });

  it("takes in messages when it meets an unknown number", () => {
    const { buffers, messages } = create(1);
    const buffer = new SharedArrayBuffer(8);
    messages.push(() => buffers.add(6, buffer));
    expect(buffers.fromId(6)).toBe(buffer);
    expect(() => buffers.fromId(7)).toThrow(NotArrived);
  });

  it("a buffer that is gone stays until what came before was read, and then gets a new number when it is sent back", () => {
    const { buffers, announced } = create(1);
    const buffer = new SharedArrayBuffer(8);
    buffers.add(5, buffer);
    buffers.beginDrain();
    buffers.gone(5);
    buffers.gone(99);
    // It may have come in the middle: results that were linked before it are not read yet.
    buffers.endDrain();
    expect(buffers.fromId(5)).toBe(buffer);
    buffers.beginDrain();
    expect(buffers.fromId(5)).toBe(buffer);
    buffers.endDrain();
    expect(() => buffers.fromId(5)).toThrow(NotArrived);
    const id = buffers.idOf(buffer);
    expect(id).not.toBe(5);
    expect(announced).toEqual([[id, buffer]]);
  });

  it("a received buffer that was passed on is announced again, under its number, when it is gone where it came from", () => {
    const { buffers, announced } = create(1);
    const buffer = new SharedArrayBuffer(8);
    buffers.add(5, buffer);
    expect(buffers.idOf(buffer)).toBe(5);
    buffers.gone(5);
    expect(announced).toEqual([[5, buffer]]);
    buffers.beginDrain();
    buffers.endDrain();
    expect(buffers.fromId(5)).toBe(buffer);
    expect(buffers.idOf(buffer)).toBe(5);
    // Two threads have passed it on, and the other one's is gone now.
    buffers.add(5, new SharedArrayBuffer(8));
    buffers.gone(5);
    expect(announced).toEqual([
      [5, buffer],
      [5, buffer],
    ]);
  });

  it("what was passed on is kept weakly when it is gone where it came from: the others are told when it goes", async () => {
    const gone = Promise.withResolvers<number>();
    const { buffers, announced } = create(1, (id) => gone.resolve(id));
    buffers.add(5, new SharedArrayBuffer(8));
    buffers.idOf(buffers.fromId(5));
    buffers.gone(5);
    announced.length = 0;
    buffers.beginDrain();
    buffers.endDrain();
    const asking = setInterval(() => (globalThis as { gc?: () => void }).gc!(), 1);
    expect(await gone.promise).toBe(5);
    clearInterval(asking);
    expect(() => buffers.fromId(5)).toThrow(NotArrived);
  });

  it("a buffer that is gone gets a new number from then on, also before what came before was read", () => {
    const { buffers, announced } = create(1);
    const buffer = new SharedArrayBuffer(8);
    buffers.add(5, buffer);
    buffers.gone(5);
    const id = buffers.idOf(buffer);
    expect(id).not.toBe(5);
    expect(announced).toEqual([[id, buffer]]);
    expect(buffers.fromId(5)).toBe(buffer);
  });

  it("a buffer that is gone, and announced again, stays, and is the same object", () => {
    const { buffers, announced } = create(1);
    const buffer = new SharedArrayBuffer(8);
    buffers.add(5, buffer);
    for (const isBegun of [false, true]) {
      buffers.gone(5);
      if (isBegun) buffers.beginDrain();
      buffers.add(5, new SharedArrayBuffer(8));
      buffers.beginDrain();
      buffers.endDrain();
      expect(buffers.fromId(5)).toBe(buffer);
    }
    expect(buffers.idOf(buffer)).toBe(5);
    expect(announced).toEqual([]);
  });

  it("what a dead thread has numbered is announced again by whoever has passed it on, and keeps it", () => {
    const { buffers, announced } = create(1);
    const [passed, kept, other] = [8, 8, 8].map((bytes) => new SharedArrayBuffer(bytes)) as [
      SharedArrayBuffer,
      SharedArrayBuffer,
      SharedArrayBuffer,
    ];
    const id = 3 * 2 ** 32;
    buffers.add(id + 1, passed);
    buffers.add(id + 2, kept);
    buffers.add(id + 3, other);
    buffers.idOf(passed);
    buffers.idOf(kept);
    buffers.gone(id + 2);
    announced.length = 0;
    buffers.dropOf(3);
    expect(announced).toEqual([
      [id + 2, kept],
      [id + 1, passed],
    ]);
    expect(buffers.fromId(id + 1)).toBe(passed);
    expect(() => buffers.fromId(id + 3)).toThrow(NotArrived);
  });

  it("a new thread is not told what is gone", () => {
    const { buffers } = create(1);
    buffers.add(5, new SharedArrayBuffer(8));
    buffers.add(6, new SharedArrayBuffer(8));
    buffers.gone(5);
    buffers.beginDrain();
    buffers.gone(6);
    expect([...buffers.entries()]).toEqual([]);
  });

  it("a drain that could not read everything does not count", () => {
    const { buffers } = create(1);
    const buffer = new SharedArrayBuffer(8);
    buffers.add(5, buffer);
    buffers.gone(5);
    buffers.beginDrain();
    buffers.beginDrain();
    expect(buffers.fromId(5)).toBe(buffer);
    buffers.endDrain();
    expect(() => buffers.fromId(5)).toThrow(NotArrived);
  });

  it("teardown: what a dead thread has numbered goes with it, and nothing else", () => {
    const { buffers } = create(0);
    const dead = create(3).buffers.idOf(new SharedArrayBuffer(8));
    const alive = create(4).buffers.idOf(new SharedArrayBuffer(8));
    for (const id of [dead, alive]) buffers.add(id, new SharedArrayBuffer(8));
    const own = new SharedArrayBuffer(8);
    const ownId = buffers.idOf(own);
    buffers.dropOf(3);
    expect([...buffers.entries()].map(([id]) => id)).toEqual([alive, ownId]);
  });

  it("tells a new thread what was numbered here and received from elsewhere", () => {
    const { buffers } = create(0);
    const own = new SharedArrayBuffer(8);
    const other = new SharedArrayBuffer(8);
    const id = buffers.idOf(own);
    buffers.add(1 << 20, other);
    expect(new Map(buffers.entries())).toEqual(
      new Map([
        [1 << 20, other],
        [id, own],
      ]),
    );
  });

  it("tells the others when the last user of a buffer has forgotten it", async () => {
    const gone = Promise.withResolvers<number>();
    const { buffers, announced } = create(0, (id) => gone.resolve(id));
    const id = buffers.idOf(new SharedArrayBuffer(8));
    announced.length = 0;
    // The collector decides when: ask until it has.
    const asking = setInterval(() => (globalThis as { gc?: () => void }).gc!(), 1);
    expect(await gone.promise).toBe(id);
    clearInterval(asking);
    expect([...buffers.entries()]).toEqual([]);
  });
});

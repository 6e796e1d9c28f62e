import { describe, expect, it } from "vitest";
import { SharedBuffers } from "../../src/transfer/shared-buffers.ts";

type Announced = [id: number, buffer: SharedArrayBuffer];

function create(serial: number, gone: ((id: number) => void) | null = null) {
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
    expect(buffers.named).toBe(true);
  });

  it("numbers of all threads differ and are unsigned, as payloads carry them", () => {
    const ids = [0, 1, 2047, 2048, 4095].map((serial) =>
      create(serial).buffers.idOf(new SharedArrayBuffer(8)),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect([...Uint32Array.from(ids)]).toEqual(ids);
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
    expect(() => buffers.fromId(7)).toThrow(/shared buffer 7/);
  });

  it("a buffer whose number was given up gets a new one when it is sent back", () => {
    const { buffers, announced } = create(1);
    const buffer = new SharedArrayBuffer(8);
    buffers.add(5, buffer);
    buffers.drop(5);
    buffers.drop(99);
    const id = buffers.idOf(buffer);
    expect(id).not.toBe(5);
    expect(announced).toEqual([[id, buffer]]);
  });

  it("tells a new thread what was numbered here and received from elsewhere", () => {
    const { buffers } = create(0, () => {});
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

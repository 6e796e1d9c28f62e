import { MessageChannel, type MessagePort } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import type { Carried } from "../../src/codec/carried.ts";
import { CarriedValues } from "../../src/transfer/carried-values.ts";
import { isLargeMemory, isMemory, LaneReceiver, LaneSender } from "../../src/transfer/memory-lane.ts";

const opened: MessagePort[] = [];
afterEach(() => {
  for (const port of opened.splice(0)) port.close();
});

function lane(): { sender: LaneSender; receiver: LaneReceiver; carried: CarriedValues } {
  const receiver = new LaneReceiver();
  const sender = new LaneSender((port) => {
    opened.push(port);
    receiver.opened(port);
  });
  const carried = new CarriedValues(1, (id) => receiver.takeUpTo(id, carried));
  return { sender, receiver, carried };
}

function memory(id: number, ...sizes: number[]): Carried {
  const values = sizes.map((size) => new ArrayBuffer(size));
  return { id, values, transfer: values };
}

describe("a lane of moved memory", () => {
  it("opens at the first message", () => {
    const { sender, receiver, carried } = lane();
    expect(receiver.takeUpTo(1, carried)).toBe(false);
    expect(opened).toEqual([]);
    sender.send(memory(1, 10));
    sender.send(memory(2, 10));
    expect(opened.length).toBe(1);
  });

  it("gives what is asked for, and leaves what came after it in the port", () => {
    const { sender, carried } = lane();
    const first = memory(1, 10, 20);
    sender.send(first);
    sender.send(memory(2, 30));
    sender.send(memory(3, 40));
    expect((first.values as ArrayBuffer[]).map(({ detached }) => detached)).toEqual([true, true]);
    expect(carried.take(1)).toEqual([new ArrayBuffer(10), new ArrayBuffer(20)]);
    expect(carried.take(3)).toEqual([new ArrayBuffer(40)]);
    expect([carried.has(2), carried.find(4)]).toEqual([true, null]);
  });

  it("can be moved on", () => {
    const { sender, carried } = lane();
    sender.send(memory(1, 10));
    const { values, transfer } = carried.find(1)!;
    expect(transfer).toEqual(values);
  });

  it("drops what nobody wants, before and after it has come", () => {
    const { sender, receiver, carried } = lane();
    carried.dropWhenHere(2);
    sender.send(memory(1, 10));
    sender.send(memory(2, 10));
    carried.dropWhenHere(1);
    expect(receiver.takeUpTo(2, carried)).toBe(true);
    expect([carried.has(1), carried.has(2)]).toEqual([false, false]);
  });

  it("sends nothing when Node refuses it", () => {
    const { sender, receiver, carried } = lane();
    const { buffer } = Buffer.from("of a pool that Node shares");
    const refused: Carried = { id: 1, values: [buffer], transfer: [buffer] };
    expect(() => sender.send(refused)).toThrow(/transfer/);
    expect(receiver.takeUpTo(1, carried)).toBe(false);
  });

  it("takes what waits on its own thread, and gives it back in whatever order", () => {
    const { carried } = lane();
    const large = [1, 2, 3].map((id) => memory(id, 256 << 10));
    for (const each of [...large, memory(4, 10)]) {
      carried.add(each);
      carried.park(each.id);
    }
    expect(large.map(({ values }) => (values[0] as ArrayBuffer).detached)).toEqual([true, true, true]);
    expect([1, 2, 3, 4, 5].map((id) => carried.has(id))).toEqual([true, true, true, true, false]);
    expect(carried.take(2)).toEqual([new ArrayBuffer(256 << 10)]);
    carried.drop(3);
    expect([1, 2, 3].map((id) => carried.has(id))).toEqual([true, false, false]);
    expect(carried.take(1)).toEqual([new ArrayBuffer(256 << 10)]);
    carried.close();
  });

  it("is for memory alone", () => {
    const { port1, port2 } = new MessageChannel();
    const buffer = new ArrayBuffer(1);
    const all = (values: unknown[], transfer: unknown[]): boolean =>
      isMemory({ id: 1, values, transfer } as Carried);
    expect([all([buffer], [buffer]), all([], [buffer])]).toEqual([true, true]);
    expect([isLargeMemory(memory(1, 10)), isLargeMemory(memory(1, 1 << 20))]).toEqual([false, true]);
    expect([all([], []), all([buffer, new Blob([])], [buffer]), all([port2], [port2])]).toEqual([
      false,
      false,
      false,
    ]);
    port1.close();
  });
});

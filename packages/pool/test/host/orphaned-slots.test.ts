import { beforeEach, describe, expect, it } from "vitest";
import { OrphanedSlots } from "../../src/host/orphaned-slots.ts";
import { createLayout, firstSlot } from "../../src/shared/layout.ts";
import { HOST, PoolMemory } from "../../src/shared/pool-memory.ts";
import { DONE, FREE, QUEUED, queuedWord, RUNNING } from "../../src/shared/slot.ts";

const layout = createLayout(4, 3, 4);
/** Thread `w` has serial `w + 1` at first. */
const serialOf = (thread: number): number => thread + 1;
const slotOf = (thread: number, i: number): number => firstSlot(layout, thread + 1) + i;

let host: PoolMemory;
let threads: PoolMemory[];
let live: Set<number>;
let givenBack: [serial: number, block: number][];
let terminated: number[];
/** Slots of streams, and how many blocks had been given back before. */
let dropped: [slot: number, before: number][];
let asked: [serial: number, id: number][];
let orphans: OrphanedSlots;

beforeEach(() => {
  const control = new SharedArrayBuffer(layout.controlBytes);
  const slots = new SharedArrayBuffer(layout.slotsBytes);
  host = new PoolMemory(control, slots, layout, HOST);
  host.queues.initialize();
  threads = [0, 1, 2].map((w) => new PoolMemory(control, slots, layout, w + 1));
  live = new Set([1, 2, 3]);
  for (const w of [0, 1, 2]) host.prepareThread(w, serialOf(w));
  givenBack = [];
  terminated = [];
  dropped = [];
  asked = [];
  orphans = new OrphanedSlots(
    host,
    (serial) => live.has(serial),
    (serial, block) => givenBack.push([serial, block]),
    () => false,
    (serial) => terminated.push(serial),
    (slot) => dropped.push([slot, givenBack.length]),
    (serial, id) => asked.push([serial, id]),
  );
});

/** As the host does at a thread's exit. */
function dies(thread: number): void {
  live.delete(serialOf(thread));
  orphans.adopt(thread);
}

function submit(thread: number, i: number): number {
  const slot = slotOf(thread, i);
  const { slots, queues } = threads[thread]!;
  slots.describeJob(slot, 1, 0, 0, 0);
  slots.publish(slot);
  expect(queues.pushLocal(slot)).toBe(true);
  return slot;
}

/** Thread `thief` steals what waits longest. */
function steal(thief: number): number {
  return threads[thief]!.queues.take(serialOf(thief));
}

function link(thread: number, slot: number): void {
  const owner = host.inboxes.find((_, s) => slot < firstSlot(layout, s + 1))!;
  expect(owner).toBe(host.inboxes[thread + 1]);
  owner.put(slot);
}

function states(thread: number): number[] {
  return [0, 1, 2, 3].map((i) => host.slots.state(slotOf(thread, i)));
}

describe("OrphanedSlots", () => {
  it("a thread that waits to be terminated is terminated, also when who decided that has died before it could say so", () => {
    const slot = submit(0, 0);
    expect(steal(1)).toBe(slot);
    expect([threads[0]!.slots.doom(slot), threads[1]!.slots.end(slot)]).toEqual([true, false]);
    dies(0);
    expect(terminated).toEqual([serialOf(1)]);
    expect(orphans.isFree(0)).toBe(false);
    dies(1);
    expect(orphans.isFree(0)).toBe(true);
  });

  it("smoke: a place where nobody died is free, and so is that of a thread without jobs", () => {
    expect(orphans.isFree(1)).toBe(true);
    dies(1);
    expect(orphans.isFree(1)).toBe(true);
  });

  it("the items of a stream that nobody reads go before its ring, when it is over", () => {
    const slot = submit(0, 0);
    const { slots } = host;
    expect(steal(1)).toBe(slot);
    slots.setStream(slot, serialOf(1), 40);
    slots.wantLink(slot, false);
    link(0, slot);
    dies(0);
    expect([dropped, givenBack, orphans.isFree(0)]).toEqual([[], [], false]);
    slots.setArenaPayload(slot, serialOf(1), 50, 500);
    slots.finish(slot, serialOf(1));
    slots.wantLink(slot, true);
    link(0, slot);
    expect(orphans.isFree(0)).toBe(true);
    expect(dropped).toEqual([[slot, 0]]);
    expect(givenBack).toEqual([
      [serialOf(1), 40],
      [serialOf(1), 50],
    ]);
  });

  it("the block of an outcome that nobody reads goes back to its arena", () => {
    const [a, b] = [submit(0, 0), submit(0, 1)];
    const { slots } = host;
    for (const thief of [1, 2]) {
      const slot = steal(thief);
      slots.setArenaPayload(slot, serialOf(thief), 33 + thief, 500);
      slots.finish(slot, serialOf(thief));
      link(0, slot);
    }
    expect([a, b].map((slot) => slots.state(slot))).toEqual([DONE, DONE]);
    live.delete(serialOf(2));
    dies(0);
    expect(givenBack).toEqual([
      [serialOf(1), 34],
      [serialOf(2), 35],
    ]);
    expect(orphans.isFree(0)).toBe(true);
  });

  it("queued jobs are withdrawn at once: nobody runs them, and the place is free", () => {
    for (const i of [0, 1, 2]) submit(0, i);
    dies(0);
    expect(states(0)).toEqual([FREE, FREE, FREE, FREE]);
    expect(steal(1)).toBe(-1);
    expect(orphans.isFree(0)).toBe(true);
  });

  it("a job that another thread runs is waited for, until it is finished and linked", () => {
    const slot = submit(0, 0);
    submit(0, 1);
    expect(steal(1)).toBe(slot);
    dies(0);
    expect([orphans.isFree(0), states(0)]).toEqual([false, [RUNNING, FREE, FREE, FREE]]);
    host.slots.finish(slot, serialOf(1));
    expect([orphans.isFree(0), states(0)]).toEqual([false, [DONE, FREE, FREE, FREE]]);
    link(0, slot);
    expect([orphans.isFree(0), states(0)]).toEqual([true, [FREE, FREE, FREE, FREE]]);
    expect(host.inboxes[1]!.isEmpty()).toBe(true);
  });

  it("what was linked before the death is taken out of the inbox, so that the next owner does not find it", () => {
    for (const i of [0, 1, 2]) {
      const slot = submit(0, i);
      expect(steal(2)).toBe(slot);
      host.slots.finish(slot, serialOf(2));
      link(0, slot);
    }
    dies(0);
    expect([orphans.isFree(0), states(0)]).toEqual([true, [FREE, FREE, FREE, FREE]]);
    expect(host.inboxes[1]!.isEmpty()).toBe(true);
  });

  it("all slots at once: a whole inbox, and none besides", () => {
    const taken = [0, 1, 2, 3].map((i) => {
      submit(0, i);
      return steal(1);
    });
    dies(0);
    for (const slot of taken) {
      expect(orphans.isFree(0)).toBe(false);
      host.slots.finish(slot, serialOf(1));
      link(0, slot);
    }
    expect([orphans.isFree(0), states(0)]).toEqual([true, [FREE, FREE, FREE, FREE]]);
  });

  it("done but not linked: waits as long as the finisher lives, and no longer", () => {
    const slot = submit(0, 0);
    steal(1);
    host.slots.finish(slot, serialOf(1));
    dies(0);
    for (let i = 0; i < 3; i++) expect(orphans.isFree(0)).toBe(false);
    dies(1);
    expect([orphans.isFree(0), states(0)]).toEqual([true, [FREE, FREE, FREE, FREE]]);
    expect(orphans.isFree(1)).toBe(true);
  });

  it("the finisher dies too, wherever it was: running, done or linked, before or after the submitter", () => {
    for (const first of [0, 1]) {
      for (const reached of ["running", "done", "linked"]) {
        live = new Set([1, 2, 3]);
        const slot = submit(0, 2);
        expect(steal(1)).toBe(slot);
        if (reached !== "running") host.slots.finish(slot, serialOf(1));
        if (reached === "linked") link(0, slot);
        dies(first);
        dies(1 - first);
        expect([first, reached, orphans.isFree(0), orphans.isFree(1)]).toEqual([first, reached, true, true]);
        expect(states(0)).toEqual([FREE, FREE, FREE, FREE]);
        expect(host.inboxes[1]!.isEmpty()).toBe(true);
      }
    }
  });

  it("a thread that died in a job of its own leaves nothing to wait for", () => {
    const running = submit(0, 0);
    expect(threads[0]!.queues.takeOwn(serialOf(0))).toBe(running);
    const done = submit(0, 1);
    expect(threads[0]!.queues.takeOwn(serialOf(0))).toBe(done);
    host.slots.finish(done, serialOf(0));
    dies(0);
    expect([orphans.isFree(0), states(0)]).toEqual([true, [FREE, FREE, FREE, FREE]]);
  });

  it("waits for those that live, whoever else has died", () => {
    const [slow, lost] = [submit(0, 0), submit(0, 1)];
    expect([steal(1), steal(2)]).toEqual([slow, lost]);
    dies(0);
    dies(2);
    expect([orphans.isFree(0), states(0)]).toEqual([false, [RUNNING, FREE, FREE, FREE]]);
    host.slots.finish(slow, serialOf(1));
    link(0, slow);
    expect(orphans.isFree(0)).toBe(true);
  });

  it("keeps the places apart: jobs of others, and those of the host, stay as they are", () => {
    const other = submit(1, 0);
    const queued = submit(1, 1);
    host.slots.describeJob(3, 1, 0, 0, 0);
    host.slots.publish(3);
    expect(steal(2)).toBe(other);
    host.slots.finish(other, serialOf(2));
    link(1, other);
    dies(0);
    expect(orphans.isFree(0)).toBe(true);
    expect([states(1), host.slots.state(3)]).toEqual([[DONE, QUEUED, FREE, FREE], QUEUED]);
    const into = new Int32Array(4);
    expect([host.inboxes[2]!.takeAll(into), into[0]]).toEqual([1, other]);
    expect(steal(2)).toBe(queued);
  });

  it("what the dead one had taken out of its inbox is free once the thread that finished it has answered", () => {
    const slot = submit(0, 0);
    expect(steal(1)).toBe(slot);
    host.slots.finish(slot, serialOf(1));
    link(0, slot);
    expect(threads[0]!.inbox.takeAll(new Int32Array(4))).toBe(1);
    dies(0);
    expect([orphans.areFree(), orphans.areFree(), asked]).toEqual([false, false, [[serialOf(1), 1]]]);
    orphans.linked(1);
    expect([orphans.areFree(), states(0)[0], givenBack]).toEqual([true, FREE, []]);
  });

  it("what is linked while it is asked for is taken out as ever, and a late answer means nothing", () => {
    const slot = submit(0, 0);
    steal(1);
    host.slots.finish(slot, serialOf(1));
    dies(0);
    link(0, slot);
    expect(orphans.isFree(0)).toBe(true);
    submit(0, 0);
    expect(steal(1)).toBe(slot);
    host.slots.finish(slot, serialOf(1));
    orphans.adopt(0);
    orphans.linked(1);
    expect([orphans.isFree(0), asked]).toEqual([false, [1, 2].map((id) => [serialOf(1), id])]);
  });

  it("an exclusive job that waits is withdrawn as any other", () => {
    const slot = slotOf(0, 0);
    host.slots.describeJob(slot, 1, 0, 0, 0, true);
    host.slots.publish(slot, queuedWord(true));
    dies(0);
    expect([orphans.isFree(0), states(0)[0]]).toEqual([true, FREE]);
  });

  it("the next owner of the place is left alone, and waited for in its turn", () => {
    submit(0, 0);
    dies(0);
    expect(orphans.isFree(0)).toBe(true);
    host.prepareThread(0, 9);
    expect([host.submitterSerial(slotOf(0, 3)), host.submitterSerial(3)]).toEqual([9, 0]);
    live.add(9);
    const slot = submit(0, 0);
    expect(orphans.isFree(0)).toBe(true);
    expect(host.slots.state(slot)).toBe(QUEUED);
    expect(steal(1)).toBe(slot);
    live.delete(9);
    orphans.adopt(0);
    expect(orphans.isFree(0)).toBe(false);
    host.slots.finish(slot, serialOf(1));
    link(0, slot);
    expect(orphans.isFree(0)).toBe(true);
  });
});

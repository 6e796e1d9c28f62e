/** Roles of inbox.stress.test.ts. */
import { parentPort } from "node:worker_threads";
import { Inbox } from "../../../src/shared/inbox.ts";
import type { Layout } from "../../../src/shared/layout.ts";
import { SlotTable } from "../../../src/shared/slot.ts";
import { seededRandom } from "../seeded-random.ts";
import { LOST_MS, type Part, takePart } from "./stress.ts";

export interface InboxData {
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
  readonly layout: Layout;
  /** Word 0: bell messages. Word 1 + slot: how often the owner has taken the slot. */
  readonly messages: Int32Array;
  /** The slots of a finisher. */
  readonly slots: readonly number[];
}

const { control, slotsBuffer, layout, messages, slots, role, stop, seed } = takePart() as InboxData & Part;
const table = new SlotTable(slotsBuffer, layout);
const inbox = new Inbox(control, layout, table, 0);
const random = seededRandom(seed);

/** @returns how often it has put each of its slots. */
function finish(): number[] {
  const puts = slots.map(() => 0);
  while (Atomics.load(stop, 0) === 0) {
    const i = Math.floor(random() * slots.length);
    // Only a slot that the owner has taken can finish again.
    if (Atomics.load(messages, 1 + slots[i]!) !== puts[i]) continue;
    puts[i]++;
    table.setArenaPayload(slots[i]!, 0, 0, puts[i]);
    inbox.put(slots[i]!);
    if (inbox.ring()) {
      Atomics.add(messages, 0, 1);
      Atomics.notify(messages, 0);
    }
    for (let pause = random() < 0.1 ? random() * 20_000 : 0; pause > 0; pause--) Atomics.load(stop, 0);
  }
  return puts;
}

/** @returns a complaint, or how often it slept and what it took. */
function own(): { complaint: string } | { sleeps: number; taken: number[] } {
  const into = new Int32Array(layout.capacitySlots);
  const taken = Array.from(into, () => 0);
  let heard = 0;
  let sleeps = 0;
  for (;;) {
    const stopping = Atomics.load(stop, 0) === 2;
    const count = inbox.takeAll(into);
    for (const slot of into.subarray(0, count)) {
      taken[slot]!++;
      // The plain write of the finisher is visible (N2).
      if (table.payloadLength(slot) !== taken[slot]) return { complaint: `slot ${slot}: an old payload` };
      Atomics.store(messages, 1 + slot, taken[slot]);
    }
    if (count > 0) continue;
    if (stopping) return { sleeps, taken };
    if (!inbox.sleep()) continue;
    sleeps++;
    if (Atomics.wait(messages, 0, heard, LOST_MS) === "timed-out") return { complaint: "a bell was lost" };
    heard = Atomics.load(messages, 0);
  }
}

parentPort!.postMessage(role === "owner" ? own() : finish());

/** Roles of arena.stress.test.ts. */
import { parentPort } from "node:worker_threads";
import { Arena, type GrowingMemory } from "../../../src/shared/arena.ts";
import { Arenas } from "../../../src/shared/arenas.ts";
import type { Layout } from "../../../src/shared/layout.ts";
import { JobQueues, NO_JOB } from "../../../src/shared/job-queues.ts";
import { FREE, SlotTable } from "../../../src/shared/slot.ts";
import { seededRandom } from "../seeded-random.ts";
import { type Part, takePart } from "./stress.ts";

export interface ArenaData {
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
  readonly layout: Layout;
  /** Of the writer. */
  readonly memory: GrowingMemory;
  readonly thread: number;
}

const WRITER = 9;
const { control, slotsBuffer, layout, memory, thread, role, stop, seed } = takePart() as ArenaData & Part;
const slots = new SlotTable(slotsBuffer, layout);
const queues = new JobQueues(control, layout, slots, thread);
const random = seededRandom(seed);

function write(): { stored: number; sizeBytes: number } {
  const arena = new Arena(memory);
  const source = new Uint8Array(1_200_000);
  let stored = 0;
  while (Atomics.load(stop, 0) === 0) {
    const slot = stored % layout.capacitySlots;
    if (slots.state(slot) !== FREE) continue;
    // Mostly small, now and then one that makes the memory grow.
    const length =
      random() < 0.01 ? 1_050_000 + Math.floor(random() * 150_000) : 193 + Math.floor(random() ** 4 * 50_000);
    stored++;
    source.fill(stored & 0xff, 0, length);
    const block = arena.store(source, length);
    slots.describeJob(slot, stored & 0xff, 0, 0, 0);
    slots.setArenaPayload(slot, WRITER, block, length);
    slots.publish(slot);
    queues.push(1, slot);
  }
  return { stored, sizeBytes: arena.sizeBytes };
}

/** @returns how many payloads were read, or a complaint. */
function read(): number | string {
  const arenas = new Arenas(() => {});
  arenas.add({ id: WRITER, serial: WRITER, isHome: false, memory });
  let count = 0;
  for (;;) {
    const stopping = Atomics.load(stop, 0) === 2;
    const slot = queues.take(thread);
    if (slot === NO_JOB) {
      if (stopping) return count;
      continue;
    }
    const owner = slots.payloadArena(slot);
    const block = slots.payloadBlock(slot);
    const length = slots.payloadLength(slot);
    const bytes = arenas.bytes(owner, block, length);
    const expected = slots.functionId(slot);
    const payload = bytes.subarray(block * 8, block * 8 + length);
    if (payload.length !== length) return `the memory is too short for ${length} bytes at ${block}`;
    const wrong = payload.findIndex((byte) => byte !== expected);
    if (wrong >= 0) return `byte ${wrong} of ${length} in block ${block} is not of this payload`;
    arenas.giveBack(owner, block);
    slots.finish(slot, thread);
    slots.release(slot);
    count++;
  }
}

parentPort!.postMessage(role === "writer" ? write() : read());

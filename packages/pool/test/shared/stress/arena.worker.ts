/** Roles of arena.stress.test.ts. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { Arena, ReturnedBlocks } from "../../../src/shared/arena.ts";
import type { Layout } from "../../../src/shared/layout.ts";
import { JobQueues, NO_JOB } from "../../../src/shared/job-queues.ts";
import { SegmentDirectory } from "../../../src/shared/segments.ts";
import { FREE, SlotTable } from "../../../src/shared/slot.ts";
import { seededRandom } from "../seeded-random.ts";

export interface ArenaData {
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
  readonly layout: Layout;
  /** To each reader, or to the writer. */
  readonly ports: readonly MessagePort[];
  readonly thread: number;
}

interface SegmentMessage {
  readonly id: number;
  /** Null: gone. */
  readonly buffer: SharedArrayBuffer | null;
}

const { control, slotsBuffer, layout, ports, thread, role, stop, seed } = workerData as ArenaData & {
  role: "writer" | "reader";
  stop: Int32Array;
  seed: number;
};
const slots = new SlotTable(slotsBuffer, layout);
const queues = new JobQueues(control, layout, slots);
const returned = new ReturnedBlocks(control, layout, 0);
const random = seededRandom(seed);

function write(): { stored: number; sizeBytes: number } {
  const post = (message: SegmentMessage): void => ports.forEach((port) => port.postMessage(message));
  const arena = new Arena(
    1,
    { announce: (id, buffer) => post({ id, buffer }), retire: (id) => post({ id, buffer: null }) },
    returned,
  );
  const source = new Uint8Array(1_200_000);
  let stored = 0;
  while (Atomics.load(stop, 0) === 0) {
    const slot = stored % layout.capacitySlots;
    if (slots.state(slot) !== FREE) continue;
    // Mostly small, now and then one with a segment of its own.
    const length =
      random() < 0.01 ? 1_050_000 + Math.floor(random() * 150_000) : 193 + Math.floor(random() ** 4 * 50_000);
    stored++;
    source.fill(stored & 0xff, 0, length);
    const block = arena.store(source, length);
    slots.describeJob(slot, stored & 0xff);
    slots.setArenaPayload(slot, block.segment, block.offset, length);
    slots.publish(slot);
    queues.push(1, slot);
  }
  return { stored, sizeBytes: arena.sizeBytes };
}

/** @returns how many payloads were read, or a complaint. */
function read(): number | string {
  const segments = new SegmentDirectory(() => {
    for (;;) {
      const received = receiveMessageOnPort(ports[0]!);
      if (received === undefined) return;
      const { id, buffer } = received.message as SegmentMessage;
      if (buffer === null) segments.drop(id);
      else segments.add(id, buffer);
    }
  });
  let count = 0;
  for (;;) {
    const stopping = Atomics.load(stop, 0) === 2;
    const slot = queues.take(thread);
    if (slot === NO_JOB) {
      if (stopping) return count;
      continue;
    }
    const segment = slots.payloadSegment(slot);
    const offset = slots.payloadOffset(slot);
    const length = slots.payloadLength(slot);
    const bytes = segments.bytes(segment);
    const expected = slots.functionId(slot);
    const payload = bytes.subarray(offset, offset + length);
    if (payload.length !== length) return `segment ${segment} is too short for ${length} bytes`;
    const wrong = payload.findIndex((byte) => byte !== expected);
    if (wrong >= 0)
      return `byte ${wrong} of ${length} in segment ${segment} at ${offset} is not of this payload`;
    returned.giveBack(bytes, segment, offset);
    slots.finish(slot, thread);
    slots.release(slot);
    count++;
  }
}

parentPort!.postMessage(role === "writer" ? write() : read());

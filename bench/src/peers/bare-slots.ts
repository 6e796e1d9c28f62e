/**
 * The limit line of a pool with our queue: numbers through the pool's own slots, ring, inbox and parking, with as many slots. No task, no encoding, no errors,
 * no context; results are written into the list that the caller waits for.
 */
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createLayout } from "../../../packages/pool/src/shared/layout.ts";
import { HOST, PoolMemory } from "../../../packages/pool/src/shared/pool-memory.ts";

/** Of a pool by default. */
export const SLOTS = 16_384;
const NORMAL = 1;

export interface BareSlotsData {
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly threads: number;
  readonly index: number;
}

export interface BareSlots {
  /** Sends 0 … count - 1. @returns what came back, in that order. */
  burst(count: number): Promise<Float64Array>;
  close(): Promise<unknown>;
}

export async function openBareSlots(threads: number): Promise<BareSlots> {
  const layout = createLayout(SLOTS, threads);
  const control = new SharedArrayBuffer(layout.controlBytes);
  const slots = new SharedArrayBuffer(layout.slotsBytes);
  const memory = new PoolMemory(control, slots, layout, HOST);
  memory.places.initialize(threads);
  for (let index = 0; index < threads; index++) memory.prepareThread(index, index + 1);
  const workers = Array.from({ length: threads }, (_, index) => {
    const workerData: BareSlotsData = { control, slots, threads, index };
    return new Worker(new URL("bare-slots.worker.ts", import.meta.url), { workerData });
  });
  await Promise.all(workers.map((worker) => once(worker, "message")));
  const caller = new Caller(memory);
  return {
    burst: (count) => caller.burst(count),
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}

class Caller {
  readonly #memory: PoolMemory;
  readonly #free: Int32Array;
  readonly #finished: Int32Array;
  /** By slot: which number of the burst it is. */
  readonly #number: Int32Array;
  readonly #list: number[] = [0];
  #freeCount: number;

  constructor(memory: PoolMemory) {
    this.#memory = memory;
    this.#freeCount = memory.slotCount;
    this.#free = Int32Array.from({ length: memory.slotCount }, (_, i) => i);
    this.#finished = new Int32Array(memory.slotCount);
    this.#number = new Int32Array(memory.slotCount);
  }

  async burst(count: number): Promise<Float64Array> {
    const { inbox, slots } = this.#memory;
    const results = new Float64Array(count);
    let sent = 0;
    let received = 0;
    inbox.wake();
    while (received < count) {
      for (; sent < count && this.#freeCount > 0; sent++) this.#send(sent);
      const ready = inbox.takeAll(this.#finished);
      for (let i = 0; i < ready; i++) {
        const slot = this.#finished[i]!;
        results[this.#number[slot]!] = slots.numbers(slot)[0]!;
        slots.release(slot);
        this.#free[this.#freeCount++] = slot;
      }
      received += ready;
      if (ready === 0) await nextTurn();
    }
    return results;
  }

  #send(number: number): void {
    const { slots, queues, parking } = this.#memory;
    const slot = this.#free[--this.#freeCount]!;
    this.#number[slot] = number;
    this.#list[0] = number;
    slots.describeJob(slot, 0, 0);
    slots.setNumbers(slot, this.#list);
    slots.publish(slot);
    queues.push(NORMAL, slot);
    parking.wakeOne();
  }
}

/**
 * The limit line: two rings of numbers in shared memory between this thread and one other. No promise per job, no queue beyond the
 * ring, no errors, nothing that could be called a pool: what the machine does when nobody asks for anything.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { jobFile } from "./product.ts";

export interface Ring {
  /** Sends 0 … count - 1 and resolves when all have come back. @throws Error when one came back as another. */
  burst(count: number): Promise<void>;
  /** Sends a number and spins until it is back. */
  roundTrip(value: number): number;
  close(): Promise<unknown>;
}

const CAPACITY = 16_384;
const MASK = CAPACITY - 1;
const at = { requested: 0, responded: 16 } as const;

export function openRing(): Ring {
  const control = new Int32Array(new SharedArrayBuffer(128));
  const requests = new Int32Array(new SharedArrayBuffer(CAPACITY * 4));
  const responses = new Int32Array(new SharedArrayBuffer(CAPACITY * 4));
  const worker = new Worker(jobFile("ring"), {
    workerData: { control, requests, responses, mask: MASK, at },
  });
  let tail = 0;
  let taken = 0;

  const publish = (): void => {
    Atomics.store(control, at.requested, tail);
    Atomics.notify(control, at.requested);
  };
  return {
    async burst(count) {
      let sent = 0;
      let received = 0;
      while (received < count) {
        const room = Math.min(count - sent, CAPACITY - ((tail - taken) | 0));
        for (const end = sent + room; sent < end; sent++, tail = (tail + 1) | 0) requests[tail & MASK] = sent;
        if (room > 0) publish();
        const ready = Atomics.load(control, at.responded);
        if (ready === taken) await nextTurn();
        for (; taken !== ready; taken = (taken + 1) | 0, received++) {
          if (responses[taken & MASK] !== received)
            throw new Error(`job ${received} came back as ${responses[taken & MASK]}`);
        }
      }
    },
    roundTrip(value) {
      requests[tail & MASK] = value;
      tail = (tail + 1) | 0;
      publish();
      while (Atomics.load(control, at.responded) === taken);
      const answer = responses[taken & MASK]!;
      taken = (taken + 1) | 0;
      return answer;
    },
    close: () => worker.terminate(),
  };
}

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { ProducerHandle } from "../src/index.ts";

export interface Pushed {
  readonly id: number;
  readonly number: number;
  readonly text: string;
  readonly sum: number;
}

export interface PusherOptions {
  readonly handles: readonly ProducerHandle[];
  readonly id?: number;
  readonly count: number;
  readonly progress: SharedArrayBuffer;
  readonly longest?: number;
  readonly tenant?: string;
  /** The worker says when it is there, and waits until this word is not 0. */
  readonly gate?: SharedArrayBuffer;
}

const PUSHER = new URL("./fixtures/pusher.worker.ts", import.meta.url);

export function startPusher({ id = 0, longest = 40, ...rest }: PusherOptions): Worker {
  return new Worker(PUSHER, { workerData: { id, longest, ...rest } });
}

export async function ended(worker: Worker): Promise<void> {
  const [code] = (await once(worker, "exit")) as [number];
  if (code !== 0) throw new Error(`the worker ended with exit code ${code}`);
}

/** Counters for so many producers and slots, and one word for them to wait on. */
export function progressFor(producers: number, slots: number = 1): SharedArrayBuffer {
  return new SharedArrayBuffer((producers * slots + 1) * Int32Array.BYTES_PER_ELEMENT);
}

/** What the stress tests share: how long they run, their seed, and threads that play a role until they are told to stop. */
import { once } from "node:events";
import { type Transferable, Worker, workerData } from "node:worker_threads";

export const STRESS_MS: number = Number(process.env["SKEIN_STRESS_MS"] ?? 400);
/** For the test as a whole: the time, and what it takes to start threads. */
export const TEST_TIMEOUT_MS: number = STRESS_MS + 300_000;
/** How long nothing may move before a wake-up counts as lost. */
export const LOST_MS = 120_000;

/** Word 0 says 1 when it is time to stop. Word 1 counts the threads that have begun to play. */
export type StopWords = Int32Array;

/** What the thread of a role was given, besides its own data. */
export interface Part {
  readonly role: string;
  readonly stop: StopWords;
  readonly seed: number;
}

/** The thread of a role begins to play. */
export function takePart(): unknown {
  Atomics.add((workerData as Part).stop, 1, 1);
  return workerData;
}

/** Threads that play a role each; `workerData` reaches the role as it is. */
export class Cast implements AsyncDisposable {
  readonly stop: StopWords = new Int32Array(new SharedArrayBuffer(8));
  readonly seed: number = Date.now() & 0x7fffffff;
  readonly workers: Worker[] = [];
  readonly #file: URL;

  constructor(file: URL) {
    this.#file = file;
  }

  /** @returns what the role returns in the end. */
  async play<T>(role: string, data: object, transferList: readonly Transferable[] = []): Promise<T> {
    const part = { ...data, role, stop: this.stop, seed: this.seed + this.workers.length };
    const worker = new Worker(this.#file, { workerData: part, transferList: [...transferList] });
    this.workers.push(worker);
    const [result] = (await once(worker, "message")) as [T];
    return result;
  }

  /** From when everybody has begun, however busy the machine is. */
  stopAfter(ms: number): void {
    const begun = setInterval(() => {
      if (Atomics.load(this.stop, 1) < this.workers.length) return;
      clearInterval(begun);
      setTimeout(() => Atomics.store(this.stop, 0, 1), ms);
    }, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

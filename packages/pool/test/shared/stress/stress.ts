/** What the stress tests share: how long they run, their seed, and threads that play a role until they are told to stop. */
import { once } from "node:events";
import { type Transferable, Worker } from "node:worker_threads";

export const STRESS_MS: number = Number(process.env["SKEIN_STRESS_MS"] ?? 1500);
/** For the test as a whole: the time, and what it takes to start threads. */
export const TEST_TIMEOUT_MS: number = STRESS_MS + 30_000;
/** How long nothing may move before a wake-up counts as lost. */
export const LOST_MS = 10_000;

/** A word that says 1 when it is time to stop. */
export type StopWord = Int32Array;

/** Threads that play a role each; `workerData` reaches the role as it is. */
export class Cast implements AsyncDisposable {
  readonly stop: StopWord = new Int32Array(new SharedArrayBuffer(4));
  readonly seed: number = Date.now() & 0x7fffffff;
  readonly workers: Worker[] = [];
  readonly #file: URL;

  constructor(file: URL) {
    this.#file = file;
  }

  /** @returns what the role returns in the end. */
  async play<T>(role: string, data: object, transferList: readonly Transferable[] = []): Promise<T> {
    const workerData = { ...data, role, stop: this.stop, seed: this.seed + this.workers.length };
    const worker = new Worker(this.#file, { workerData, transferList: [...transferList] });
    this.workers.push(worker);
    const [result] = (await once(worker, "message")) as [T];
    return result;
  }

  stopAfter(ms: number): void {
    setTimeout(() => Atomics.store(this.stop, 0, 1), ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

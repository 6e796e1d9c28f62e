import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import type { CompletionReport } from "@skein/batching";

interface Item {
  readonly producer: number;
  readonly number: number;
}

const SLOTS = 4;
const THREADS = 2;
const CAPACITY = 5000;
const MEMORY_SLACK_BYTES = 32 * 2 ** 20;
/** Rounds until caches, buffers and compiled code have the size that they keep. */
const WARM_UP_ROUNDS = 5;

/** One consumer, started and completed again and again, and the books about every item. */
export class Soak {
  readonly faults: string[] = [];
  readonly #consumer = new MultiProducerConcurrentConsumer<Item>({
    batchSize: 50,
    pushIntervalMs: 5,
    maxConcurrency: 1,
    slots: SLOTS,
    capacity: CAPACITY,
    sharedBytes: 65_536,
    onError: (_error, items, _slot, attempt) => {
      if (attempt < 3) return "retry";
      for (const item of items) this.#account(item);
      return "drop";
    },
  });
  /** By producer: the number that must come next. One slot, and `maxConcurrency` 1: the order is total. */
  readonly #next = new Map<number, number>();
  #producers = 0;
  #rounds = 0;
  #accepted = 0;
  #heapBytes = 0;

  /** Starts, lets everybody push for a while, completes, and looks whether the books agree. */
  async round(ms: number): Promise<void> {
    this.#next.clear();
    this.#consumer.start((items, slot) => this.#pump(items, slot));
    const before = this.#consumer.stats();
    const end = performance.now() + ms;
    const [local, shared] = await Promise.all([this.#pushHere(end), this.#pushFromThreads(end)]);
    const report = await this.#consumer.complete({ drain: Math.random() < 0.5 });
    this.#check(local, shared, report);
    const after = this.#consumer.stats();
    const pushed = after.pushed - before.pushed;
    const ended = after.pumped + after.failed + after.discarded;
    if (after.pushed !== ended) this.faults.push(`${after.pushed} pushed, ${ended} accounted for`);
    this.#accepted += pushed;
    this.#rounds++;
    globalThis.gc?.();
    if (this.#rounds === WARM_UP_ROUNDS) this.#heapBytes = process.memoryUsage().heapUsed;
  }

  checkMemory(): void {
    if (this.#rounds <= WARM_UP_ROUNDS) return;
    globalThis.gc?.();
    const grown = process.memoryUsage().heapUsed - this.#heapBytes;
    if (grown > MEMORY_SLACK_BYTES) this.faults.push(`the heap has grown by ${grown} bytes`);
  }

  summary(): string {
    const { pumped, failed, discarded } = this.#consumer.stats();
    const heap = (process.memoryUsage().heapUsed / 2 ** 20).toFixed(1);
    return (
      `${this.#rounds} rounds, ${this.#producers} producers, ${this.#accepted} items accepted: ${pumped} pumped, ` +
      `${failed} dropped, ${discarded} given back, ${this.faults.length} faults, heap ${heap} MB`
    );
  }

  async #pump(items: readonly Item[], slot: number): Promise<void> {
    const luck = Math.random();
    if (luck < 0.005) throw new Error("an unlucky batch");
    if (luck < 0.01) await delay(Math.random() * 20);
    if (slot === 0) await delay(1);
    for (const item of items) this.#account(item);
  }

  #account({ producer, number }: Item): void {
    const expected = this.#next.get(producer) ?? 0;
    if (number !== expected) this.faults.push(`producer ${producer}: ${number} instead of ${expected}`);
    this.#next.set(producer, number + 1);
  }

  /** One producer for each slot on this thread. @returns how many of each were accepted. */
  async #pushHere(end: number): Promise<Map<number, number>> {
    const accepted = new Map<number, number>();
    const producers = Array.from({ length: SLOTS }, () => this.#producers++);
    while (performance.now() < end) {
      for (const [slot, producer] of producers.entries()) {
        const burst = Math.floor(Math.random() * 200);
        for (let i = 0; i < burst; i++) {
          const number = accepted.get(producer) ?? 0;
          if (!this.#consumer.tryPush({ producer, number }, slot)) break;
          accepted.set(producer, number + 1);
        }
      }
      await delay(Math.random() < 0.1 ? 12 : 1);
    }
    return accepted;
  }

  /** Threads that push into every slot, and are ended at any moment. @returns how many pushes of each have returned. */
  async #pushFromThreads(end: number): Promise<Map<number, number>> {
    const returned = new Map<number, number>();
    const handles = Array.from({ length: SLOTS }, (_, slot) => this.#consumer.producer(slot).handle);
    const thread = async (): Promise<void> => {
      while (performance.now() < end) {
        const first = this.#producers;
        this.#producers += SLOTS;
        const progress = new Int32Array(new SharedArrayBuffer(4 * (SLOTS + 1)));
        const worker = new Worker(new URL("./soak.worker.ts", import.meta.url), {
          workerData: { handles, first, progress },
        });
        await once(worker, "online");
        await delay(Math.min(Math.random() * 300, Math.max(0, end - performance.now())));
        await worker.terminate();
        for (let slot = 0; slot < SLOTS; slot++) returned.set(first + slot, progress[slot]!);
      }
    };
    await Promise.all(Array.from({ length: THREADS }, thread));
    return returned;
  }

  #check(local: Map<number, number>, shared: Map<number, number>, report: CompletionReport<Item>): void {
    if (report.failed.length > 0) this.faults.push(`${report.failed.length} batches failed beside onError`);
    for (const item of report.discarded) this.#account(item);
    for (const [producer, accepted] of local) {
      const ended = this.#next.get(producer) ?? 0;
      if (ended !== accepted) this.faults.push(`producer ${producer}: ${ended} of ${accepted}`);
    }
    for (const [producer, returned] of shared) {
      const ended = this.#next.get(producer) ?? 0;
      // The last push may have been accepted and not have returned.
      if (ended !== returned && ended !== returned + 1) {
        this.faults.push(`producer ${producer} on a thread: ${ended} of ${returned}`);
      }
    }
  }
}

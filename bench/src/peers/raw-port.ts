/**
 * The reference line: workers, an id per call, a promise per call, and nothing else. `batched` collects the calls of a turn into one
 * message for each worker, which is as far as messages go.
 */
import { Worker } from "node:worker_threads";
import { jobFile, type JobName, type JobPool, type Product } from "./product.ts";

interface Answer {
  readonly id: number;
  readonly value: unknown;
}
interface Answers {
  readonly ids: readonly number[];
  readonly values: readonly unknown[];
}
type Settle = (value: unknown) => void;

export const rawPort: Product = {
  name: "raw port",
  kind: "reference",
  product: "raw port",
  configuration: "one message per job",
  async open(threads: number, job: JobName): Promise<JobPool> {
    const waiting = new Map<number, Settle>();
    const workers = start(threads, { job }, (worker) =>
      worker.on("message", ({ id, value }: Answer) => {
        waiting.get(id)!(value);
        waiting.delete(id);
      }),
    );
    let calls = 0;
    await Promise.resolve();
    return {
      run: (value, transfer) =>
        new Promise((resolve) => {
          const id = calls++;
          waiting.set(id, resolve);
          workers[id % threads]!.postMessage({ id, value }, transfer ?? []);
        }),
      close: () => Promise.all(workers.map((worker) => worker.terminate())),
    };
  },
};

export const rawPortBatched: Product = {
  name: "raw port, batched",
  kind: "reference",
  product: "raw port",
  configuration: "one message per turn and worker",
  async open(threads: number, job: JobName): Promise<JobPool> {
    const waiting = new Map<number, Settle>();
    const workers = start(threads, { job, batched: true }, (worker) =>
      worker.on("message", ({ ids, values }: Answers) => {
        for (const [i, id] of ids.entries()) {
          waiting.get(id)!(values[i]);
          waiting.delete(id);
        }
      }),
    );
    let batches = workers.map(() => ({ ids: [] as number[], values: [] as unknown[] }));
    let scheduled = false;
    let calls = 0;
    const flush = (): void => {
      scheduled = false;
      const full = batches;
      batches = workers.map(() => ({ ids: [], values: [] }));
      for (const [i, batch] of full.entries()) if (batch.ids.length > 0) workers[i]!.postMessage(batch);
    };
    await Promise.resolve();
    return {
      run: (value) =>
        new Promise((resolve) => {
          const id = calls++;
          waiting.set(id, resolve);
          const batch = batches[id % threads]!;
          batch.ids.push(id);
          batch.values.push(value);
          if (scheduled) return;
          scheduled = true;
          queueMicrotask(flush);
        }),
      close: () => Promise.all(workers.map((worker) => worker.terminate())),
    };
  },
};

function start(threads: number, data: object, listen: (worker: Worker) => void): Worker[] {
  return Array.from({ length: threads }, () => {
    const worker = new Worker(jobFile("raw-port"), { workerData: data });
    listen(worker);
    return worker;
  });
}

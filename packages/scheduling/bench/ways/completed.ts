/** Awaiting what is there already: a cache that mostly holds what is asked for. */
import { Task, ValueTask } from "@skein/scheduling";

class Cache {
  #value = 1;
  readonly #kept = ValueTask.fromResult(1);

  // oxlint-disable-next-line typescript/require-await -- that is what is measured.
  async readNative(): Promise<number> {
    return this.#value;
  }

  read(): ValueTask<number> {
    return ValueTask.fromResult(this.#value);
  }

  /** What is over a result can be used any number of times: one object per value, not per read. */
  readKept(): ValueTask<number> {
    return this.#kept;
  }
}

const cache = new Cache();

export async function awaitCompleted(count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += await cache.readNative();
  return sum;
}

export function readKept(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const valueTask = cache.readKept();
    if (valueTask.isCompleted) sum += valueTask.getResult();
  }
  return sum;
}

export function readFresh(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const valueTask = cache.read();
    if (valueTask.isCompleted) sum += valueTask.getResult();
  }
  return sum;
}

export const yieldCompleted: (count: number) => Task<number> = Task.async(function* (count: number) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += yield* cache.read();
  return sum;
});

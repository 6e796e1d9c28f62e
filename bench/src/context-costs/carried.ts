/** What travels: five values of each kind. Imported by both sides; the thread has all flows from the start. */
import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal, flow } from "@skein/context";

const indexes = [0, 1, 2, 3, 4] as const;
export const storages: readonly AsyncLocalStorage<string>[] = indexes.map(
  () => new AsyncLocalStorage<string>(),
);
export const locals: readonly AsyncLocal<string>[] = indexes.map(
  (i) => new AsyncLocal<string>({ name: `bench.local${i}`, flow: "thread" }),
);

/** @returns what ends it. */
export function flowStorages(count: number): Disposable {
  const registered = storages.slice(0, count).map((storage, i) => flow(storage, { name: `bench.flow${i}` }));
  return {
    [Symbol.dispose]() {
      for (const each of registered) each[Symbol.dispose]();
    },
  };
}

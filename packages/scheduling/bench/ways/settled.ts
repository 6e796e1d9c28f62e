/** Native `await` of what has been settled for long. */
import { Task } from "@skein/scheduling";

class Subclass<T> extends Promise<T> {}

/** Nothing that native `await` does not itself know can be awaited for less. */
const bareThenable = {
  // oxlint-disable-next-line unicorn/no-thenable -- it is awaited
  then(onFulfilled: (value: number) => void): void {
    onFulfilled(1);
  },
} as PromiseLike<number>;

function awaiting(value: PromiseLike<number>): (count: number) => Promise<void> {
  return async (count) => {
    for (let i = 0; i < count; i++) await value;
  };
}

export const awaitPromise: (count: number) => Promise<void> = awaiting(Promise.resolve(1));
export const awaitSubclass: (count: number) => Promise<void> = awaiting(Subclass.resolve(1));
export const awaitThenable: (count: number) => Promise<void> = awaiting(bareThenable);
export const awaitTask: (count: number) => Promise<void> = awaiting(Task.fromResult(1));

export const yieldTask: (count: number) => Task<void> = Task.async(function* (count: number) {
  const task = Task.fromResult(1);
  for (let i = 0; i < count; i++) yield* task;
});

import { AsyncScope } from "@skein/context";
import { queueMicrotask } from "./timers.ts";

/** Surfaces what an object of the program's threw as Node's `uncaughtException`, on a stack of its own: the tasks go on. */
export function reportUncaught(error: unknown): void {
  AsyncScope.root.run(queueMicrotask, () => {
    throw error;
  });
}

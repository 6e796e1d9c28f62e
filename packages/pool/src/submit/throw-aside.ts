import { AsyncScope } from "@skein/context";
import { queueMicrotask } from "../shared/timers.ts";

/** Surfaces what a listener of the user's threw as Node's `uncaughtException`, on a stack of its own: whoever called it goes on. */
export function throwAside(error: unknown): void {
  AsyncScope.root.run(queueMicrotask, () => {
    throw error;
  });
}

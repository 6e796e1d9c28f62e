import { AsyncScope } from "@skein/context";
import { queueMicrotask } from "./timers.ts";

/**
 * Surfaces an error that has no receiver as Node's `uncaughtException`, on a stack of its own: neither the one who
 * completed the task nor the continuations behind it are disturbed.
 */
export function reportUncaught(error: unknown): void {
  AsyncScope.root.run(queueMicrotask, () => {
    throw error;
  });
}

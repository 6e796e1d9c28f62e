/** What the host gives a thread on its way: its first message, since `workerData` is the user's. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { sleep } from "../shared/atomics.ts";
import { isDeno } from "../shared/is-deno.ts";
import { hasOwnProperty } from "../shared/intrinsics.ts";
import type { ThreadData } from "../messages/protocol.ts";

const LOOK_MS = 1;

/**
 * It is there as a rule. It is not if the host was held up after it made the thread: then this blocks. Not with `await`: bundles of CommonJS
 * cannot have one at the top level, and nobody else may take the message. Deno cannot read that port without an event loop: there it comes
 * by `workerData`.
 */
export function takeThreadData(): ThreadData {
  if (isDeno) return workerData as ThreadData;
  for (;;) {
    const next = receiveMessageOnPort(parentPort!);
    if (next === undefined) sleep(LOOK_MS);
    // Who heard of the thread before it was given its data may have posted something, which is for nobody.
    else if (isThreadData(next.message)) return next.message;
  }
}

function isThreadData(message: unknown): message is ThreadData {
  return (
    typeof message === "object" &&
    message !== null &&
    hasOwnProperty(message, "type") &&
    (message as { readonly type: unknown }).type === "skein:thread"
  );
}

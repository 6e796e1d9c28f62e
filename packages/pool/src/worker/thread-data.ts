/** What the host gives a thread on its way: its first message, since `workerData` is the user's. */
import { type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import type { ThreadData } from "../messages/protocol.ts";

/** It is there as a rule. It is not if the host was held up after it made the thread: then this waits. */
export async function takeThreadData(): Promise<ThreadData> {
  const port = parentPort!;
  // Who heard of the thread before it was given its data may have posted something, which is for nobody.
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
    if (isThreadData(next.message)) return next.message;
  return await arrival(port);
}

function arrival(port: MessagePort): Promise<ThreadData> {
  return new Promise((resolve) => {
    port.on("message", function take(message: unknown) {
      if (!isThreadData(message)) return;
      port.off("message", take);
      resolve(message);
    });
  });
}

function isThreadData(message: unknown): message is ThreadData {
  return (
    typeof message === "object" &&
    message !== null &&
    Object.hasOwn(message, "type") &&
    (message as { readonly type: unknown }).type === "skein:thread"
  );
}

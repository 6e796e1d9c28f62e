import { MessageChannel, type MessagePort } from "node:worker_threads";
import { move } from "@skein/pool/worker";

/** Ends its thread by an error that nobody catches. */
export async function throwAside(): Promise<never> {
  setImmediate(() => {
    throw new RangeError("aside");
  });
  return await new Promise(() => {});
}

/** Whoever gets the port hears what comes after the job. */
export function openPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage("from the thread");
  return move(port2, [port2]);
}

/** Word 1 says that it has begun. Blocks its thread until word 0 is set, and throws behind itself then. */
export async function throwBehind(gate: Int32Array): Promise<never> {
  Atomics.store(gate, 1, 1);
  Atomics.wait(gate, 0, 0);
  process.nextTick(() => {
    throw new RangeError("behind");
  });
  return await new Promise(() => {});
}

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { job, move } from "@skein/pool/worker";

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

/** Reports more levels than the stack of the main thread takes. @param waits Until it is asked to stop; otherwise it returns at once. */
export async function reportDeep(waits: boolean): Promise<void> {
  let tree: unknown = null;
  for (let level = 0; level < 12_000; level++) tree = { tree };
  job.progress(tree);
  const { signal } = job;
  if (waits && !signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

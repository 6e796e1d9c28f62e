/** Pushes as fast as there is room, by shared memory or by messages. */
import { parentPort, workerData } from "node:worker_threads";
import { SharedProducer } from "@skein/batching";
import type { ProducerHandle } from "@skein/batching";

const { handle, count } = workerData as { readonly handle: ProducerHandle | null; readonly count: number };
const idle = new Int32Array(new SharedArrayBuffer(4));
const producer = handle === null ? null : SharedProducer.attach<object>(handle);
for (let id = 0; id < count; id++) {
  const item = { id, name: "an item", values: [1, 2, 3] };
  if (producer === null) parentPort!.postMessage(item);
  else while (!producer.tryPush(item)) Atomics.wait(idle, 0, 0, 1);
}

/** Pushes numbered items into every slot until it is ended. */
import { workerData } from "node:worker_threads";
import { SharedProducer } from "@skein/batching";
import type { ProducerHandle } from "@skein/batching";

const { handles, first, progress } = workerData as {
  readonly handles: readonly ProducerHandle[];
  readonly first: number;
  readonly progress: Int32Array;
};
const producers = handles.map((handle) => SharedProducer.attach<object>(handle));
const numbers = producers.map(() => 0);
for (;;) {
  let wasFull = false;
  for (const [slot, producer] of producers.entries()) {
    const number = numbers[slot]!;
    if (producer.tryPush({ producer: first + slot, number, text: "x".repeat(number % 600) })) {
      numbers[slot] = number + 1;
      Atomics.store(progress, slot, number + 1);
    } else {
      wasFull = true;
    }
  }
  if (wasFull) Atomics.wait(progress, handles.length, 0, 1);
}

import { AsyncLocal } from "@skein/context";
import { SharedProducer } from "@skein/batching";
import type { ProducerHandle } from "@skein/batching";

const request = new AsyncLocal<string>({ name: "e2e.request", flow: "thread" });

/** Pushes into a slot, and says under which request it ran. */
export function store(handle: ProducerHandle, from: number, count: number): string | undefined {
  const rows = SharedProducer.attach<number>(handle);
  for (let i = from; i < from + count; i++) rows.push(i);
  return request.value;
}

/** Pushes, then takes its whole thread down. */
export function storeAndDie(handle: ProducerHandle, from: number, count: number): never {
  store(handle, from, count);
  process.exit(3);
}

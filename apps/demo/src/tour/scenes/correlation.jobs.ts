/** What a request does off the main thread. No function here is given an id. */
import { SharedProducer } from "@skein/batching";
import type { ProducerHandle } from "@skein/batching";
import { fork } from "@skein/pool/worker";
import { logStep } from "./correlation-log.ts";

export interface Shipment {
  readonly weight: number;
}

// tour: begin
export function order(items: number, log: string, shipments: ProducerHandle, ms: number): void {
  logStep(log, "job");
  const shipped = fork(ship, items, log, shipments); // another thread takes it
  compute(ms);
  shipped.join();
}

export function ship(items: number, log: string, shipments: ProducerHandle): void {
  logStep(log, "forked job");
  SharedProducer.attach<Shipment>(shipments).push({ weight: items * 1.5 });
}
// tour: end

function compute(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

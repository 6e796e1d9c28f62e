/** Batching next to what one writes by hand. */
import type { Scale, Scenario, Section } from "../method/scenario.ts";
import { METHOD } from "./method-text.ts";
import { peer, skein, table } from "./table.ts";
import type * as AnyPump from "./ways/returning-pump.ts";

export const batching: Section = {
  name: "batching",
  title: "Batching",
  question: "What does it cost to collect items into batches per slot?",
  method:
    METHOD +
    "An operation is one item, from push to the end of its batch, over four slots. The p-queue is an array and a timer for each slot and a queue " +
    "that limits the calls; the DataLoader has no interval and no limit of concurrency, so it has less to do. Delays, pushes from other threads and a " +
    "broker are in the package's own benchmark: `pnpm --filter @skein/batching bench`.",
  scenarios: (scale) => [
    workload(scale, "returning-pump", "The pump returns at once, batches of a hundred"),
    workload(scale, "async-pump", "The pump is an async function, batches of a hundred"),
    workload(scale, "small-batches", "The pump is an async function, batches of ten"),
    workload(scale, "event-loop-pump", "The pump waits for the event loop, batches of a hundred"),
  ],
};

function workload(scale: Scale, name: string, title: string): Scenario {
  return table<typeof AnyPump>(scale, {
    name,
    title,
    ways: {
      skein: skein("MultiProducerConcurrentConsumer: push(item, slot)"),
      "p-queue": peer("p-queue", "an array, a timer and a queue per slot, by hand"),
      DataLoader: peer("DataLoader", "a loader per slot, without its cache"),
    },
  });
}

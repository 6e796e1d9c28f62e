/** In the pump of a batch. */
import { contextOf, MultiProducerConcurrentConsumer } from "@skein/batching";
import { see, type Seen } from "../ambient.ts";
import { all, inJob, onCaller } from "../rights.ts";
import { type Hop, shared, turn } from "../stage.ts";

const feed = shared(() => {
  const consumer = new MultiProducerConcurrentConsumer<() => void>({
    batchSize: 1,
    pushIntervalMs: 1,
    maxConcurrency: 1,
    slots: 1,
  });
  consumer.start((items) => {
    for (const item of items) item();
  });
  return consumer;
});

export const batchHops: readonly Hop[] = [
  {
    name: "a batch handler, by contextOf",
    rights: onCaller,
    run: async () => {
      const seen: Seen[] = [];
      const consumer = new MultiProducerConcurrentConsumer<number>({
        batchSize: 2,
        pushIntervalMs: 2,
        maxConcurrency: 1,
        slots: 1,
        flowContext: true,
      });
      consumer.start((items) => {
        for (const index of items.keys()) seen.push(contextOf(items, index).run(see));
      });
      for (let i = 0; i < 3; i++) consumer.push(i, 0);
      await consumer.complete();
      return seen;
    },
  },
  {
    name: "a batch handler that others feed",
    rights: all("safe h"),
    run: async () => {
      const seen: Seen[] = [];
      feed().push(() => seen.push(see()), 0);
      while (seen.length === 0) await turn();
      return seen;
    },
  },
  {
    name: "a batch handler, of items that a job has pushed to a SharedProducer",
    rights: inJob,
    run: async ({ jobs }) => {
      const seen: Seen[] = [];
      const consumer = new MultiProducerConcurrentConsumer<string>({
        batchSize: 1,
        pushIntervalMs: 1,
        maxConcurrency: 1,
        slots: 1,
        flowContext: true,
      });
      consumer.start((items) => void seen.push(contextOf(items, 0).run(see)));
      await jobs.pushIt(consumer.producer(0).handle);
      await consumer.complete();
      return seen;
    },
  },
];

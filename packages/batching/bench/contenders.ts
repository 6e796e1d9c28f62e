/** The same job in four hands: collect items per slot, and give them to `pump` in batches. */
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import DataLoader from "dataloader";
import PQueue from "p-queue";

export interface Workload {
  readonly slots: number;
  readonly batchSize: number;
  readonly intervalMs: number;
  readonly concurrency: number;
  readonly pump: (items: readonly number[]) => Promise<void> | void;
}

export interface Contender {
  push(item: number, slot: number): void;
  /** Resolves when everything that was pushed has been pumped. */
  finish(): Promise<void>;
}

export type MakeContender = (workload: Workload) => Contender;

export const contenders: Readonly<Record<string, MakeContender>> = {
  skein({ slots, batchSize, intervalMs, concurrency, pump }) {
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize,
      pushIntervalMs: intervalMs,
      maxConcurrency: concurrency,
      slots,
    });
    consumer.start(pump);
    return {
      push: (item, slot) => consumer.push(item, slot),
      finish: async () => void (await consumer.complete()),
    };
  },

  /** What one writes by hand: an array and a timer for each slot, and a p-queue that limits the calls. */
  "p-queue": ({ slots, batchSize, intervalMs, concurrency, pump }) => {
    const lanes = Array.from({ length: slots }, () => ({
      queue: new PQueue({ concurrency }),
      items: [] as number[],
      timer: undefined as NodeJS.Timeout | undefined,
    }));
    const flush = (lane: (typeof lanes)[number]): void => {
      const { items } = lane;
      clearTimeout(lane.timer);
      lane.timer = undefined;
      lane.items = [];
      if (items.length > 0) void lane.queue.add(() => pump(items));
    };
    return {
      push(item, slot) {
        const lane = lanes[slot]!;
        lane.items.push(item);
        if (lane.items.length === batchSize) flush(lane);
        else lane.timer ??= setTimeout(flush, intervalMs, lane);
      },
      async finish() {
        for (const lane of lanes) {
          flush(lane);
          await lane.queue.onIdle();
        }
      },
    };
  },

  /** A loader for each slot, without its cache. It has no interval and no limit of concurrency: it has less to do. */
  dataloader({ slots, batchSize, pump }) {
    const loaders = Array.from(
      { length: slots },
      () =>
        new DataLoader<number, number>(
          async (items) => {
            await pump(items);
            return items;
          },
          { cache: false, maxBatchSize: batchSize },
        ),
    );
    let last: Promise<unknown>[] = [];
    return {
      push(item, slot) {
        last[slot] = loaders[slot]!.load(item);
      },
      async finish() {
        await Promise.all(last);
        last = [];
      },
    };
  },
};

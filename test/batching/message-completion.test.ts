/**
 * Several receivers on a real broker, each message completed in batches, and only on the receiver that it came from.
 */
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import type { ChannelModel, ConsumeMessage } from "amqplib";
import { afterAll, describe, expect, it } from "vitest";
import { startRabbitMq } from "./rabbitmq-server.ts";
import { Receiver } from "./receiver.ts";
import { timeLimit } from "../support/time-limit.ts";

const PREFETCH = 300;
const RECEIVERS = 3;
const broker = await startRabbitMq();
afterAll(() => broker?.[Symbol.asyncDispose](), 180_000);

async function publish(connection: ChannelModel, queue: string, count: number): Promise<void> {
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: false });
  for (let number = 0; number < count; number++) channel.sendToQueue(queue, Buffer.from(String(number)));
  await channel.waitForConfirms();
  await channel.close();
}

/** How many messages wait when all that were not acknowledged have gone back to the queue. */
async function remaining(queue: string): Promise<number> {
  const connection = await broker!.connect();
  const channel = await connection.createChannel();
  const { messageCount } = await channel.checkQueue(queue);
  await connection.close();
  return messageCount;
}

interface Completion {
  readonly numbers: number[];
  readonly receivers: Receiver[];
  readonly msPerRun: number;
}

/** Receives `count` messages over several channels and completes each with `complete`; ends when `end` has. */
async function receiveAll(
  queue: string,
  count: number,
  complete: (message: ConsumeMessage, slot: number, receivers: readonly Receiver[]) => void | Promise<void>,
  end: () => PromiseLike<unknown>,
): Promise<Completion> {
  const connection = await broker!.connect();
  await publish(connection, queue, count);
  const receivers = await Promise.all(
    Array.from({ length: RECEIVERS }, () => Receiver.open(connection, PREFETCH)),
  );
  const numbers: number[] = [];
  const all = Promise.withResolvers<void>();
  const started = performance.now();
  for (const [slot, receiver] of receivers.entries()) {
    receiver.channel.on("error", all.reject);
    await receiver.consume(queue, (message) => {
      numbers.push(Number(message.content.toString()));
      const done = complete(message, slot, receivers);
      if (numbers.length < count) return;
      void Promise.resolve(done).then(all.resolve);
    });
  }
  await all.promise;
  await end();
  // Closing a channel is answered after everything that was sent on it: by then the broker has all acknowledgements.
  await Promise.all(receivers.map(({ channel }) => channel.close()));
  const msPerRun = performance.now() - started;
  await connection.close();
  return { numbers, receivers, msPerRun };
}

/** The interval counts only on a machine that stands still: there are always enough messages under way for full batches. */
function makeCompletions(pushIntervalMs: number): MultiProducerConcurrentConsumer<ConsumeMessage> {
  return new MultiProducerConcurrentConsumer({
    batchSize: 100,
    pushIntervalMs,
    maxConcurrency: 1,
    slots: RECEIVERS,
  });
}

describe.skipIf(broker === null)("message completion on RabbitMQ", () => {
  it(
    "R1 acknowledges every message once, in batches, on the channel that delivered it",
    { timeout: timeLimit(300_000) },
    async () => {
      const count = 3000;
      const completions = makeCompletions(1000);
      let receivers: readonly Receiver[] = [];
      let batches = 0;
      completions.start((messages, slot) => {
        batches++;
        receivers[slot]!.completeBatch(messages);
      });
      const working: Promise<void>[] = [];
      const result = await receiveAll(
        "completion",
        count,
        (message, slot, all) => {
          receivers = all;
          // Work that takes its time, and ends out of order.
          const work = new Promise<void>((resolve) =>
            setTimeout(resolve, (message.fields.deliveryTag * 7) % 5),
          );
          working.push(work.then(() => completions.push(message, slot)));
        },
        async () => {
          await Promise.all(working);
          expect(await completions.complete()).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
        },
      );
      expect(new Set(result.numbers).size).toBe(count);
      expect(await remaining("completion")).toBe(0);
      expect(batches).toBeLessThan(count / 5);
      for (const { acknowledgements } of result.receivers) {
        expect(acknowledgements).toBeGreaterThan(0);
        expect(acknowledgements).toBeLessThanOrEqual(batches);
      }
    },
  );

  it(
    "a wrong slot closes its channel: a delivery tag means nothing elsewhere, and the messages come again",
    { timeout: timeLimit(300_000) },
    async () => {
      const connection = await broker!.connect();
      await publish(connection, "wrong", 5);
      const right = await Receiver.open(connection, PREFETCH);
      const wrong = await Receiver.open(connection, PREFETCH);
      const receivers = [right, wrong];
      const closed = wrong.closedByServer();
      const completions = new MultiProducerConcurrentConsumer<ConsumeMessage>({
        batchSize: 5,
        pushIntervalMs: 1000,
        maxConcurrency: 1,
        slots: 2,
      });
      completions.start((messages, slot) => receivers[slot]!.completeBatch(messages));
      // Everything is delivered on channel 0 and pushed to the slot of channel 1.
      await right.consume("wrong", (message) => completions.push(message, 1));
      expect(await closed).toMatchObject({
        code: 406,
        message: expect.stringContaining("unknown delivery tag"),
      });
      await completions.complete();
      await connection.close();
      expect(await remaining("wrong")).toBe(5);
    },
  );

  it("throughput: in batches against one by one", { timeout: timeLimit(600_000) }, async () => {
    const count = Number(process.env["SKEIN_MESSAGES"] ?? 2500);
    const rates: Record<"batches" | "oneByOne", number[]> = { batches: [], oneByOne: [] };
    const frames = { batches: 0, oneByOne: 0 };
    for (let round = 0; round < 3; round++) {
      const single = await receiveAll(
        `single ${round}`,
        count,
        (message, slot, receivers) => receivers[slot]!.completeOne(message),
        async () => {},
      );
      const completions = makeCompletions(1000);
      let receivers: readonly Receiver[] = [];
      completions.start((messages, slot) => receivers[slot]!.completeBatch(messages));
      const batched = await receiveAll(
        `batched ${round}`,
        count,
        (message, slot, all) => {
          receivers = all;
          completions.push(message, slot);
        },
        () => completions.complete(),
      );
      for (const [name, { msPerRun, receivers: used, numbers }] of [
        ["oneByOne", single],
        ["batches", batched],
      ] as const) {
        expect(new Set(numbers).size).toBe(count);
        rates[name].push((count / msPerRun) * 1000);
        frames[name] += used.reduce((sum, { acknowledgements }) => sum + acknowledgements, 0);
      }
      expect(await remaining(`single ${round}`)).toBe(0);
      expect(await remaining(`batched ${round}`)).toBe(0);
    }
    const median = (values: number[]): string => values.toSorted((a, b) => a - b)[1]!.toFixed(0);
    console.log(
      `RabbitMQ, ${count} messages, ${RECEIVERS} channels, median of 3: one by one ${median(rates.oneByOne)} messages/s ` +
        `with ${frames.oneByOne / 3} acknowledgements, in batches ${median(rates.batches)} messages/s with ${Math.round(frames.batches / 3)}`,
    );
    expect(frames.oneByOne).toBe(3 * count);
    expect(frames.batches).toBeLessThan(frames.oneByOne / 20);
  });
});

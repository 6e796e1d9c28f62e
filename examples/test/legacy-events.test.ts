import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { MessageQueueClient } from "../legacy-events/message-queue.ts";
import type { Message } from "../legacy-events/message-queue.ts";
import { PooledPublisher, PublisherPool } from "../legacy-events/pooled-publisher.ts";
import { publish, publishByEvent } from "../legacy-events/simple-publisher.ts";
import { InvalidOperationError, Task } from "@skein/scheduling";

const refused = new Error("refused");

/** Answers when told to, in order; refuses messages with the body "bad". */
class Broker {
  readonly #answers: (() => void)[] = [];

  readonly receive = (message: Message, answer: (error: Error | undefined) => void): void => {
    this.#answers.push(() => answer(message.body === "bad" ? refused : undefined));
  };

  get waiting(): number {
    return this.#answers.length;
  }

  answerAll(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }
}

describe("the pooled publisher", () => {
  it("A6 A7 publishes one message after another on the same object", async () => {
    const broker = new Broker();
    const pool = new PublisherPool(() => new MessageQueueClient(broker.receive));
    const ids: number[] = [];
    const sending = Task.async(function* () {
      for (let id = 0; id < 1000; id++) ids.push(yield* pool.publish({ id, body: "good" }));
    })();
    while (broker.waiting > 0) broker.answerAll();
    await sending;
    expect(ids).toEqual(Array.from({ length: 1000 }, (_, id) => id));
    expect(pool.created).toBe(1);
  });

  it("makes as many publishers as there are messages under way, and uses them again", async () => {
    const broker = new Broker();
    const pool = new PublisherPool(() => new MessageQueueClient(broker.receive));
    for (let round = 0; round < 3; round++) {
      const sent = Array.from({ length: 10 }, async (_, id) => await pool.publish({ id, body: "good" }));
      await turn();
      broker.answerAll();
      expect(await Promise.all(sent)).toEqual(Array.from({ length: 10 }, (_, id) => id));
    }
    expect(pool.created).toBe(10);
  });

  it("refuses a second message while one is under way, with a clear error, and is none the worse for it", async () => {
    const broker = new Broker();
    const publisher = new PooledPublisher(new MessageQueueClient(broker.receive), () => {});
    const first = publisher.publish({ id: 1, body: "good" });
    expect(() => publisher.publish({ id: 2, body: "good" })).toThrow(InvalidOperationError);
    expect(() => publisher.publish({ id: 2, body: "good" })).toThrow(/has a message under way/);
    broker.answerAll();
    expect(first.getResult()).toBe(1);
    const second = publisher.publish({ id: 2, body: "good" });
    broker.answerAll();
    expect(await second).toBe(2);
  });

  it("A6.3 gives the error of its own message, and refuses to be read twice", async () => {
    const broker = new Broker();
    const pool = new PublisherPool(() => new MessageQueueClient(broker.receive));
    const bad = pool.publish({ id: 1, body: "bad" });
    broker.answerAll();
    expect(() => bad.getResult()).toThrow(refused);
    expect(() => bad.getResult()).toThrow(InvalidOperationError);
    const good = pool.publish({ id: 2, body: "good" });
    broker.answerAll();
    expect([good.getResult(), pool.created]).toEqual([2, 1]);
  });

  it("one publisher serves a hundred messages that are completed inline, one after the other", () => {
    const answers: (() => void)[] = [];
    const pool = new PublisherPool(
      () => new MessageQueueClient((_message, answer) => void answers.push(() => answer(undefined))),
    );
    const sending = Task.async(function* () {
      for (let id = 0; id < 100; id++) yield* pool.publish({ id, body: "good" });
      return pool.created;
    })();
    for (let i = 0; i < 100; i++) answers.pop()?.();
    expect(sending.result).toBe(1);
  });
});

describe.each([
  ["TaskCompletionSource", publish],
  ["Task.fromEvent", publishByEvent],
])("the simple publisher with %s", (_, send) => {
  it("gives the id, or the error, and leaves no listener", async () => {
    const broker = new Broker();
    const client = new MessageQueueClient(broker.receive);
    const good = send(client, { id: 1, body: "good" });
    broker.answerAll();
    expect(await good).toBe(1);
    const bad = send(client, { id: 2, body: "bad" });
    broker.answerAll();
    await expect(async () => await bad).rejects.toBe(refused);
    expect(client.listenerCount("completed")).toBe(0);
  });
});

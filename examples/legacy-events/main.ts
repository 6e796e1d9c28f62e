/**
 * A client library reports by an event how a message ended. Here publishing becomes awaitable: first the simple way, with a task for each
 * message, then by a pool of publishers that allocates nothing per message.
 */
import { Task } from "@skein/scheduling";
import { type Message, MessageQueueClient } from "./message-queue.ts";
import { PublisherPool } from "./pooled-publisher.ts";
import { publish, publishByEvent } from "./simple-publisher.ts";

/** Stands for a broker across the network: it answers in a later turn of the event loop. */
function broker({ body }: Message, answer: (error: Error | undefined) => void): void {
  setImmediate(answer, body === "" ? new Error("a message needs a body") : undefined);
}

const client = new MessageQueueClient(broker);
console.log("TaskCompletionSource: published", await publish(client, { id: 1, body: "tea" }));
console.log("Task.fromEvent: published", await publishByEvent(client, { id: 2, body: "milk" }));

// The event of a refused message becomes an exception.
try {
  await publish(client, { id: 3, body: "" });
} catch (error) {
  console.log("refused:", (error as Error).message);
}

// A generator method awaits with `yield*`. There is no promise and no task for a message: each publisher is itself what is awaited,
// and goes back to the pool when its outcome has been read.
const pool = new PublisherPool(() => new MessageQueueClient(broker));
const publishAll = Task.async(function* (from: number, to: number) {
  for (let id = from; id < to; id++) yield* pool.publish({ id, body: "tea" });
});

await publishAll(0, 1000);
console.log(`1000 messages in turn took ${pool.created} publisher`);

await Task.whenAll(Array.from({ length: 8 }, (_, i) => publishAll(i * 100, (i + 1) * 100)));
console.log(`8 senders at once took ${pool.created} publishers`);

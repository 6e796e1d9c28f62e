/**
 * The simple ways to await an event-based API. A task per message: right for anything that happens less than some hundred
 * thousand times a second.
 */

import { Task, TaskCompletionSource } from "@skein/scheduling";
import type { Completion, Message, MessageQueueClient } from "./message-queue.ts";

/** With a TaskCompletionSource: one listener per operation, removed when it has fired. */
export function publish(client: MessageQueueClient, message: Message): Task<number> {
  const source = new TaskCompletionSource<number>();
  const completed = (completion: Completion): void => {
    if (completion.id !== message.id) return;
    client.off("completed", completed);
    if (completion.error === undefined) source.setResult(completion.id);
    else source.setError(completion.error);
  };
  client.on("completed", completed);
  client.publish(message);
  return source.task;
}

/** With Task.fromEvent, where the next event is the one that is meant. */
export const publishByEvent: (client: MessageQueueClient, message: Message) => Task<number> = Task.async(
  function* publishByEvent(client: MessageQueueClient, message: Message) {
    const next = Task.fromEvent<Completion>(client, "completed");
    client.publish(message);
    const { id, error } = yield* next;
    if (error !== undefined) throw error;
    return id;
  },
);

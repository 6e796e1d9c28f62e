/**
 * Publishing without a task per message. Each publisher listens to its own client once and for all, and is the source of its
 * operation: it is completed by the event, read by the one who awaits, and goes back to the pool.
 */

import { InvalidOperationError, ManualResetValueTaskSource } from "@skein/scheduling";
import type { ValueTask } from "@skein/scheduling";
import type { Completion, Message, MessageQueueClient } from "./message-queue.ts";

/** One client with at most one message under way. */
export class PooledPublisher {
  readonly #operation: PublishOperation;
  readonly #client: MessageQueueClient;

  /** @param release is given the publisher when the outcome of its message has been read. */
  constructor(client: MessageQueueClient, release: (publisher: PooledPublisher) => void) {
    this.#client = client;
    this.#operation = new PublishOperation(() => release(this));
    client.on("completed", (completion) => this.#operation.complete(completion));
  }

  /**
   * Publishes one message and gives its id. Await the result once.
   *
   * @throws InvalidOperationError while another message of this publisher is under way.
   */
  publish(message: Message): ValueTask<number> {
    const valueTask = this.#operation.begin();
    this.#client.publish(message);
    return valueTask;
  }
}

/** Goes on to the next version when its result is read: who reads again is refused. */
class PublishOperation extends ManualResetValueTaskSource<number> {
  readonly #finished: () => void;
  #isUnderWay = false;

  constructor(finished: () => void) {
    super();
    this.#finished = finished;
  }

  begin(): ValueTask<number> {
    if (this.#isUnderWay)
      throw new InvalidOperationError(
        "This publisher has a message under way; rent another one from the pool",
      );
    this.#isUnderWay = true;
    return this.valueTask();
  }

  complete(completion: Completion): void {
    if (completion.error === undefined) this.setResult(completion.id);
    else this.setError(completion.error);
  }

  override getResult(token: number): number {
    const isLastUse = this.getStatus(token) !== "pending";
    try {
      return super.getResult(token);
    } finally {
      if (isLastUse) {
        this.reset();
        this.#isUnderWay = false;
        this.#finished();
      }
    }
  }
}

/** As many publishers as there were messages under way at once; each is used again. */
export class PublisherPool {
  readonly #createClient: () => MessageQueueClient;
  readonly #free: PooledPublisher[] = [];
  #created = 0;

  constructor(createClient: () => MessageQueueClient) {
    this.#createClient = createClient;
  }

  /** How many publishers were ever made. */
  get created(): number {
    return this.#created;
  }

  publish(message: Message): ValueTask<number> {
    return this.#rent().publish(message);
  }

  #rent(): PooledPublisher {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#created++;
    return new PooledPublisher(this.#createClient(), (publisher) => void this.#free.push(publisher));
  }
}

/** An event-based API, as one finds them: it says by an event that a message was taken or refused. */

import { EventEmitter } from "node:events";

export interface Message {
  readonly id: number;
  readonly body: string;
}

/** What `"completed"` tells. */
export interface Completion {
  readonly id: number;
  readonly error: Error | undefined;
}

/**
 * Sends to a broker that answers in a later turn. One instance has one operation under way at a time, as SocketAsyncEventArgs and
 * its relatives do; many instances share a broker.
 */
export class MessageQueueClient extends EventEmitter<{ completed: [Completion] }> {
  readonly #broker: (message: Message, answer: (error: Error | undefined) => void) => void;

  constructor(broker: (message: Message, answer: (error: Error | undefined) => void) => void) {
    super();
    this.#broker = broker;
  }

  publish(message: Message): void {
    const { id } = message;
    this.#broker(message, (error) => this.emit("completed", { id, error }));
  }
}

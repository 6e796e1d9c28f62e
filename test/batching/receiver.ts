import { once } from "node:events";
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";

/**
 * One channel that receives, and completes what it received. A delivery tag counts within its channel only; there is no way to
 * acknowledge a message elsewhere.
 */
export class Receiver {
  readonly channel: Channel;
  /** How many acknowledgements went over the wire. */
  acknowledgements = 0;
  /** Everything up to this tag is acknowledged. */
  #upTo = 0;
  /** Completed beyond a gap, by tag. */
  readonly #ahead = new Map<number, ConsumeMessage>();

  private constructor(channel: Channel) {
    this.channel = channel;
  }

  static async open(connection: ChannelModel, prefetch: number): Promise<Receiver> {
    const channel = await connection.createChannel();
    await channel.prefetch(prefetch);
    return new Receiver(channel);
  }

  async consume(queue: string, onMessage: (message: ConsumeMessage) => void): Promise<void> {
    await this.channel.consume(queue, (message) => {
      if (message !== null) onMessage(message);
    });
  }

  completeOne(message: ConsumeMessage): void {
    this.acknowledgements++;
    this.channel.ack(message);
  }

  /**
   * One acknowledgement for all that are complete without a gap; what lies beyond a gap waits for it. Never acknowledges a
   * message that is still being worked on.
   */
  completeBatch(messages: readonly ConsumeMessage[]): void {
    for (const message of messages) this.#ahead.set(message.fields.deliveryTag, message);
    let last: ConsumeMessage | undefined;
    for (let next = this.#take(); next !== undefined; next = this.#take()) last = next;
    if (last === undefined) return;
    this.acknowledgements++;
    this.channel.ack(last, true);
  }

  /** The error with which the server closes the channel. */
  async closedByServer(): Promise<{ code: number; message: string }> {
    const [error] = (await once(this.channel, "error")) as [{ code: number; message: string }];
    return error;
  }

  #take(): ConsumeMessage | undefined {
    const message = this.#ahead.get(this.#upTo + 1);
    if (message === undefined) return undefined;
    this.#upTo++;
    this.#ahead.delete(this.#upTo);
    return message;
  }
}

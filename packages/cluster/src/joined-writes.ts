/**
 * A connection to Redis whose commands of one turn leave in one write: each write of its own is a system call here, and wakes the server. BullMQ copies
 * it to wait for jobs and events, and ends the copies only if they were ever connected: they end with it.
 */
import { Redis } from "ioredis";
import { nextTick } from "./timers.ts";

export class JoinedWrites extends Redis {
  #corked: Redis["stream"] | null = null;
  readonly #copies: Redis[] = [];

  override sendCommand(...args: Parameters<Redis["sendCommand"]>): unknown {
    if (this.#corked === null && this.status === "ready") {
      this.#corked = this.stream;
      this.#corked.cork();
      // After all promises that are settled by now.
      nextTick(this.#uncork);
    }
    return super.sendCommand(...args);
  }

  override duplicate(...args: Parameters<Redis["duplicate"]>): Redis {
    const copy = super.duplicate(...args);
    this.#copies.push(copy);
    return copy;
  }

  override disconnect(reconnect = false): void {
    super.disconnect(reconnect);
    if (!reconnect) for (const copy of this.#copies) copy.disconnect();
  }

  readonly #uncork = (): void => {
    const stream = this.#corked;
    this.#corked = null;
    stream?.uncork();
  };
}

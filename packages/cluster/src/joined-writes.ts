/** A connection to Redis whose commands of one turn leave in one write: each write of its own is a system call here, and wakes the server. */
import { Redis } from "ioredis";
import { nextTick } from "./timers.ts";

export class JoinedWrites extends Redis {
  #corked: Redis["stream"] | null = null;

  override sendCommand(...args: Parameters<Redis["sendCommand"]>): unknown {
    if (this.#corked === null && this.status === "ready") {
      this.#corked = this.stream;
      this.#corked.cork();
      // After all promises that are settled by now.
      nextTick(this.#uncork);
    }
    return super.sendCommand(...args);
  }

  readonly #uncork = (): void => {
    const stream = this.#corked;
    this.#corked = null;
    stream?.uncork();
  };
}

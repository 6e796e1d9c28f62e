/** Lets go memory that a thread needed for a while: a timer that runs only while there is some. */
import { AsyncScope } from "@skein/context";
import { clearInterval, setInterval } from "./timers.ts";

/** What was in use for at most so long is found to be unused after twice the time. */
const TRIM_MS = 1000;

export class TrimTimer {
  readonly #trim: () => boolean;
  #timer: NodeJS.Timeout | null = null;

  /** @param trim Lets go what is not needed. False: there is nothing more to let go. */
  constructor(trim: () => boolean) {
    this.#trim = trim;
  }

  /** May be called in the middle of a submission: the timer is of no request. */
  start(): void {
    this.#timer ??= AsyncScope.root.run(setInterval, this.#onTime, TRIM_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  readonly #onTime = (): void => {
    if (!this.#trim()) this.stop();
  };
}

import type { Clock } from "./clock.ts";

/** The one timer of a consumer: set for the earliest time at which something is due, and not set when nothing is. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #timer: unknown = undefined;
  /** When it fires; Infinity: it is not set. */
  #at = Infinity;

  constructor(clock: Clock, onTime: () => void) {
    this.#clock = clock;
    this.#fire = () => {
      this.#at = Infinity;
      onTime();
    };
  }

  /** Fires at `at` or earlier. Infinity: not at all. */
  atLatest(at: number): void {
    if (at >= this.#at) return;
    this.stop();
    this.#at = at;
    this.#timer = this.#clock.startTimer(this.#fire, Math.max(1, Math.ceil(at - this.#clock.now())));
  }

  stop(): void {
    if (this.#at === Infinity) return;
    this.#at = Infinity;
    this.#clock.stopTimer(this.#timer);
    this.#timer = undefined;
  }
}

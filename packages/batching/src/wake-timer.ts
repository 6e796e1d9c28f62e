import type { Clock } from "./clock.ts";

/** The longest time that timers of Node take; beyond it they would fire at once. */
const MAX_MS = 2_147_483_647;
/** Times are sums of fractions: 100 ms must not become 101 for the last bit of one. */
const ROUNDING_MS = 0.001;

/** One timer for any number of slots: set for the earliest time at which something is due, and not set when nothing is. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  readonly #renew: () => void;
  #timer: unknown = undefined;
  /** When it fires; Infinity: it is not set. */
  #at = Infinity;

  constructor(clock: Clock, onTime: () => void) {
    this.#clock = clock;
    this.#fire = () => {
      const at = this.#at;
      if (at === Infinity) return;
      this.#at = Infinity;
      this.#timer = undefined;
      clock.reached(at);
      onTime();
    };
    this.#renew = () => {
      const at = this.#at;
      this.stop();
      this.atLatest(at, clock.now());
    };
  }

  /** Fires at `at` or earlier. Infinity: not at all. */
  atLatest(at: number, now: number): void {
    if (at >= this.#at) {
      if (this.#clock.isLost(this.#timer)) this.#renew();
      return;
    }
    this.stop();
    this.#at = at;
    try {
      const ms = Math.min(Math.max(1, Math.ceil(at - now - ROUNDING_MS)), MAX_MS);
      this.#timer = this.#clock.startTimer(this.#fire, ms, this.#renew);
    } catch (error) {
      // The stack is full: there is no timer, and the next one who needs it must start it.
      this.#at = Infinity;
      throw error;
    }
  }

  stop(): void {
    if (this.#at === Infinity) return;
    this.#at = Infinity;
    const timer = this.#timer;
    this.#timer = undefined;
    this.#clock.stopTimer(timer);
  }
}

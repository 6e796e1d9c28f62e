/**
 * Adaptive spinning: how long a thread looks on for work, or for an answer, before it sleeps. A hit makes the next spin longer, a miss
 * shorter, down to none; a sleep that a spin might have saved starts it again, ever less often when that is in vain (patience.ts). Never
 * while threads outnumber cores.
 */
import { availableParallelism } from "node:os";
import { pause } from "../shared/atomics.ts";
import { Patience } from "../shared/patience.ts";
import type { Parking } from "../shared/parking.ts";
import { now as clockNow } from "../shared/timers.ts";

const PAUSES_PER_LOOK = 8;
const MIN_SPIN_US = 2;

export class Spinner {
  readonly #found: () => boolean;
  readonly #parking: Parking;
  readonly #limitUs: number;
  readonly #cores: number = availableParallelism();
  readonly #patience = new Patience();
  #spinUs: number;
  #sleptAt = 0;

  /** @param found Whether what it looks for is there. */
  constructor(found: () => boolean, parking: Parking, limitUs: number) {
    this.#found = found;
    this.#parking = parking;
    this.#limitUs = limitUs;
    this.#spinUs = limitUs;
  }

  /** Looks for up to the present limit. @returns whether it was found. */
  spin(): boolean {
    if (this.#found()) return true;
    // One core is the submitting thread's.
    if (this.#spinUs === 0 || this.#parking.awake() + 1 > this.#cores) return false;
    const end = clockNow() + this.#spinUs / 1000;
    do {
      for (let i = 0; i < PAUSES_PER_LOOK; i++) pause();
      if (this.#found()) {
        this.#spinUs = Math.min(this.#limitUs, this.#spinUs * 2);
        this.#patience.paidOff();
        return true;
      }
    } while (clockNow() < end);
    if (this.#spinUs === this.#limitUs) this.#patience.wasInVain();
    this.#spinUs = this.#spinUs > MIN_SPIN_US ? this.#spinUs / 2 : 0;
    return false;
  }

  sleeping(now: number): void {
    this.#sleptAt = now;
  }

  wokeUp(now: number): void {
    const sleptUs = (now - this.#sleptAt) * 1000;
    // Falling asleep and waking take as long as a spin: one of full length would have been over by now.
    if (sleptUs < 2 * this.#limitUs && this.#patience.cameSoon()) this.#spinUs = this.#limitUs;
  }
}

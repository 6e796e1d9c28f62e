/**
 * Adaptive spinning: how long a thread without work looks on before it sleeps. A hit makes the next spin longer, a miss
 * shorter, down to none; a sleep that a short spin would have saved starts it again. Never while threads outnumber cores.
 */
import { availableParallelism } from "node:os";
import { pause } from "../shared/atomics.ts";
import type { JobQueues } from "../shared/job-queues.ts";
import type { Parking } from "../shared/parking.ts";

const PAUSES_PER_LOOK = 8;
const MIN_SPIN_US = 2;

export class Spinner {
  readonly #queues: JobQueues;
  readonly #parking: Parking;
  readonly #thread: number;
  readonly #limitUs: number;
  readonly #cores: number = availableParallelism();
  #spinUs: number;
  #sleptAt = 0;

  constructor(queues: JobQueues, parking: Parking, thread: number, limitUs: number) {
    this.#queues = queues;
    this.#parking = parking;
    this.#thread = thread;
    this.#limitUs = limitUs;
    this.#spinUs = limitUs;
  }

  /** Looks for up to the present limit. @returns whether there was something to take, a job or mail. */
  spin(): boolean {
    if (this.#found()) return true;
    // One core is the submitting thread's.
    if (this.#spinUs === 0 || this.#parking.awake() + 1 > this.#cores) return false;
    const end = performance.now() + this.#spinUs / 1000;
    do {
      for (let i = 0; i < PAUSES_PER_LOOK; i++) pause();
      if (this.#found()) {
        this.#spinUs = Math.min(this.#limitUs, this.#spinUs * 2);
        return true;
      }
    } while (performance.now() < end);
    this.#spinUs = this.#spinUs > MIN_SPIN_US ? this.#spinUs / 2 : 0;
    return false;
  }

  #found(): boolean {
    return !this.#queues.isEmpty() || this.#parking.hasMail(this.#thread);
  }

  sleeping(now: number): void {
    this.#sleptAt = now;
  }

  wokeUp(now: number): void {
    const sleptUs = (now - this.#sleptAt) * 1000;
    // Waking alone takes tens of microseconds: a sleep of that length was no sleep.
    if (this.#spinUs === 0 && sleptUs < 4 * this.#limitUs)
      this.#spinUs = Math.min(this.#limitUs, MIN_SPIN_US * 4);
  }
}

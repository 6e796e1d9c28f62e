/** How long the jobs take that the host sends to this thread past the queues: by that it sends more of them ahead (host/thread-lead.ts). */
import type { Parking } from "../shared/parking.ts";
import { now as clockNow } from "../shared/timers.ts";

/** Weight of the newest job in the average. */
const NEWEST = 0.25;
/** A job of this length, or longer, is one behind which nothing is sent. One alone may have been held up by the machine. */
const LONG_US = 500;

export class Pace {
  readonly #parking: Parking;
  readonly #thread: number;
  #usPerJob = 0;

  constructor(parking: Parking, thread: number) {
    this.#parking = parking;
    this.#thread = thread;
  }

  /** A job is over that began at `startedAt`, by the clock of timers.ts. What it has awaited counts: it held its place meanwhile. */
  ended(startedAt: number): void {
    const us = Math.min(LONG_US, (clockNow() - startedAt) * 1000);
    this.#usPerJob = this.#usPerJob === 0 ? us : this.#usPerJob * (1 - NEWEST) + us * NEWEST;
    this.#parking.setPace(this.#thread, Math.ceil(this.#usPerJob));
  }
}

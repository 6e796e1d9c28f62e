/**
 * Keeps the process alive while jobs are outstanding, and afterwards until the console output of the threads has arrived.
 * One port that is ref'ed or not: a pending waitAsync would not keep the event loop alive (H2), a timer would turn it.
 */
import { MessageChannel } from "node:worker_threads";
import type { Parking } from "../shared/parking.ts";

const CHECK_MS = 1;
/** Longest wait for a thread that is still busy: with a job that its caller gave up, or with its event loop. */
const BUSY_CHECKS = 20;
/** Longest wait for output. */
const OUTPUT_CHECKS = 1000;

export class KeepAlive {
  readonly #parking: Parking;
  readonly #channel = new MessageChannel();
  #wanted = false;
  #held = false;
  #checking = false;

  constructor(parking: Parking) {
    this.#parking = parking;
    // A listener refs the port; without one, ref() has no effect.
    this.#channel.port1.on("message", () => {});
    this.#channel.port1.unref();
    this.#channel.port2.unref();
  }

  /** The first job is outstanding. */
  hold(): void {
    this.#wanted = true;
    if (this.#held) return;
    this.#held = true;
    this.#channel.port1.ref();
  }

  /** No job is outstanding: lets go a moment later, so that one job after the other costs nothing. */
  release(): void {
    this.#wanted = false;
    if (this.#checking) return;
    this.#checking = true;
    this.#check(1);
  }

  close(): void {
    this.#channel.port1.close();
  }

  #check(count: number): void {
    setTimeout(() => {
      if (this.#wanted) {
        this.#checking = false;
      } else if (
        (count < BUSY_CHECKS && this.#parking.anyBusy()) ||
        (count < OUTPUT_CHECKS && this.#parking.anyOutputPending())
      ) {
        this.#check(count + 1);
      } else {
        this.#checking = this.#held = false;
        this.#channel.port1.unref();
      }
    }, CHECK_MS);
  }
}

/**
 * Keeps the process alive while jobs are outstanding, those that jobs have submitted included, and afterwards until the console output
 * of the threads has arrived. One port that is ref'ed or not: a pending waitAsync would not keep the event loop alive (H2), a timer
 * would turn it.
 */
import { MessageChannel } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import type { Parking } from "../shared/parking.ts";
import { setTimeout } from "../shared/timers.ts";

const CHECK_MS = 1;
/** While jobs of jobs are outstanding, nobody tells the host. */
const LONG_CHECK_MS = 10;
/** Longest wait for a thread that is still busy: with a job that its caller gave up, or with its event loop. */
const BUSY_CHECKS = 20;
/** Longest wait for output. */
const OUTPUT_CHECKS = 1000;

export class KeepAlive {
  readonly #parking: Parking;
  readonly #isQuiet: () => boolean;
  readonly #onRest: () => void;
  readonly #channel = new MessageChannel();
  #wanted = false;
  #held = false;
  #checking = false;

  /**
   * @param isQuiet Whether no job of any thread is outstanding.
   * @param onRest The pool has had nothing to do for a moment.
   */
  constructor(parking: Parking, isQuiet: () => boolean, onRest: () => void) {
    this.#parking = parking;
    this.#isQuiet = isQuiet;
    this.#onRest = onRest;
    // A listener refs the port; without one, ref() has no effect.
    this.#channel.port1.on("message", () => {});
    this.#channel.port1.unref();
    this.#channel.port2.unref();
  }

  /** The first job is outstanding. */
  hold(): void {
    this.#wanted = true;
    if (this.#held) return;
    this.#channel.port1.ref();
    this.#held = true;
  }

  /** No job of the host is outstanding: lets go a moment later, so that one job after the other costs nothing. */
  release(): void {
    this.#wanted = false;
    if (this.#checking) return;
    this.#check(1, CHECK_MS);
    this.#checking = true;
  }

  close(): void {
    this.#channel.port1.close();
  }

  #check(count: number, ms: number): void {
    AsyncScope.root.run(setTimeout, () => this.#look(count), ms);
  }

  #look(count: number): void {
    if (this.#wanted) this.#checking = false;
    else if (!this.#isQuiet()) this.#check(count + 1, count < BUSY_CHECKS ? CHECK_MS : LONG_CHECK_MS);
    else if (
      (count < BUSY_CHECKS && this.#parking.anyBusy()) ||
      (count < OUTPUT_CHECKS && this.#parking.anyOutputPending())
    )
      this.#check(count + 1, CHECK_MS);
    else {
      this.#checking = this.#held = false;
      this.#channel.port1.unref();
      this.#onRest();
    }
  }
}

/** How late the event loop of this thread is, in columns of 100 ms each. Costs nothing while nobody looks. */
import { lateness, startMonitor } from "../loop-watch.ts";
import type { Monitor } from "../loop-watch.ts";

export class LoopColumns {
  #monitor: Monitor | null = null;
  #columns: number[] = [];

  start(): void {
    this.#monitor ??= startMonitor();
  }

  stop(): void {
    this.#monitor?.disable();
    this.#monitor = null;
    this.#columns = [];
  }

  /** Ends a column: the greatest delay since the one before. */
  next(): void {
    if (this.#monitor === null) return;
    // One that comes late stands for all that should have come.
    this.#columns.push(Number(lateness(this.#monitor.max).toFixed(2)));
    this.#monitor.reset();
  }

  /** The columns since it was asked last, in milliseconds. */
  take(): number[] {
    const columns = this.#columns;
    this.#columns = [];
    return columns;
  }
}

import { setImmediate as turn } from "node:timers/promises";
import { useClock } from "../src/clock.ts";
import type { Clock } from "../src/clock.ts";

interface PendingTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that passes only when told to. Consumers that are made before it is disposed live by it. */
export class VirtualClock implements Clock, Disposable {
  #now = 0;
  readonly #timers = new Set<PendingTimer>();
  readonly #use: Disposable;

  constructor() {
    this.#use = useClock(this);
  }

  [Symbol.dispose](): void {
    this.#use[Symbol.dispose]();
  }

  now(): number {
    return this.#now;
  }

  get timers(): number {
    return this.#timers.size;
  }

  startTimer(callback: () => void, ms: number): unknown {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return timer;
  }

  stopTimer(timer: unknown): void {
    this.#timers.delete(timer as PendingTimer);
  }

  isLost(): boolean {
    return false;
  }

  reached(): void {}

  /** Lets `ms` pass; each timer fires at its time, and all microtasks run before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turn();
    for (let next = this.#firstUntil(end); next !== undefined; next = this.#firstUntil(end)) {
      this.#now = next.at;
      this.#timers.delete(next);
      next.callback();
      await turn();
    }
    this.#now = end;
  }

  /** Lets all microtasks run, and no time pass. */
  settle(): Promise<void> {
    return this.advance(0);
  }

  #firstUntil(end: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    }
    return first;
  }
}

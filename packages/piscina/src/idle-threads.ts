/** Lets threads go that have had nothing to do for a while, as long as there are more than there must be. Nobody asks which: only how many. */
import { AsyncScope } from "@skein/context";
import { clearTimeout, setTimeout } from "./timers.ts";

const MAX_DELAY_MS = 2 ** 31 - 1;

export interface IdleThreadsParts {
  /** Infinity: they stay. */
  readonly timeoutMs: number;
  readonly minThreads: number;
  /** Ends one that has nothing to do. */
  readonly release: () => void;
}

export class IdleThreads {
  readonly #parts: IdleThreadsParts;
  /** One for each thread that may go, the one that is over first in front. */
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(parts: IdleThreadsParts) {
    this.#parts = parts;
  }

  /** So many threads have nothing to do now, of so many that there are. */
  count(idle: number, threads: number): void {
    const { timeoutMs, minThreads } = this.#parts;
    if (timeoutMs === Infinity) return;
    const mayGo = Math.max(0, Math.min(idle, threads - minThreads));
    while (this.#timers.length > mayGo) clearTimeout(this.#timers.pop());
    // In no task's context, which the timer would keep.
    while (this.#timers.length < mayGo)
      this.#timers.push(
        AsyncScope.root.run(setTimeout, this.#onTime, Math.min(timeoutMs, MAX_DELAY_MS)).unref(),
      );
  }

  readonly #onTime = (): void => {
    this.#timers.shift();
    this.#parts.release();
  };
}

/**
 * Says when this thread has had nothing to do for a while, once for each rest. There is a timer only while the thread rests, and it lags
 * behind: a thread that wakes and rests again leaves it alone.
 */
import { AsyncScope } from "@skein/context";
import { now as clockNow, setTimeout } from "../shared/timers.ts";

export interface IdleReportParts {
  readonly timeoutMs: number;
  readonly isIdle: () => boolean;
  /** When the present rest began. */
  readonly since: () => number;
  readonly report: () => void;
}

export class IdleReport {
  readonly #parts: IdleReportParts;
  #isArmed = false;
  /** The rest that was reported. */
  #reported = -1;

  constructor(parts: IdleReportParts) {
    this.#parts = parts;
  }

  /** The thread lies down. */
  resting(): void {
    if (!this.#isArmed && this.#parts.timeoutMs !== Infinity) this.#arm(this.#parts.timeoutMs);
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    AsyncScope.root.run(setTimeout, this.#look, ms).unref();
  }

  readonly #look = (): void => {
    this.#isArmed = false;
    const { timeoutMs, isIdle, since, report } = this.#parts;
    if (!isIdle() || since() === this.#reported) return;
    const left = timeoutMs - (clockNow() - since());
    if (left > 0) {
      this.#arm(left);
      return;
    }
    this.#reported = since();
    report();
  };
}

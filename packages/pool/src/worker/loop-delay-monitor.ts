/** Times the event loop of this thread, while somebody records the pool: see shared/trace/loop-delay.ts. */
import { clearInterval, setInterval } from "../shared/timers.ts";
import { LoopDelayWriter } from "../shared/trace/loop-delay.ts";

const INTERVAL_MS = 20;

/** Never keeps the thread alive. */
export class LoopDelayMonitor {
  readonly #writer: LoopDelayWriter;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #dueUs: number;

  /** @param now Of the trace, in microseconds. Is called in the empty context: the timer is not of the job that runs. */
  constructor(buffer: SharedArrayBuffer, now: () => number) {
    this.#writer = new LoopDelayWriter(buffer);
    this.#now = now;
    this.#dueUs = now() + INTERVAL_MS * 1000;
    this.#timer = setInterval(() => this.#turn(), INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #turn(): void {
    const now = this.#now();
    const delayUs = now - this.#dueUs;
    this.#dueUs = now + INTERVAL_MS * 1000;
    this.#writer.tick(delayUs, this.#dueUs);
  }
}

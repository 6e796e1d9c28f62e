import { Promise } from "./native-promise.ts";

/**
 * The cluster's jobs on one thread. Most begin whenever the pool says so; those that were sent ahead of their turn begin only when the thread has no other one,
 * so that a function which turns out to await never overlaps with them.
 *
 * State of a job | RUNNING | counts                                                    | begin, proceed
 *                | WAITING | for jobs of the cluster: these have to run, perhaps here  | wait
 *                | OVER    | final                                                     | end
 */
export class JobsOfThread {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  get isIdle(): boolean {
    return this.#running === 0;
  }

  begin(): JobHere {
    this.#running++;
    return new JobHere((change) => this.#change(change));
  }

  /** The same, when no job is RUNNING. @returns null when the signal says so before. */
  async beginWhenIdle(signal: AbortSignal): Promise<JobHere | null> {
    const { promise: aborted, resolve: onAbort } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => onAbort(), { once: true });
    while (!this.isIdle) {
      if (signal.aborted) return null;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await Promise.race([promise, aborted]);
      this.#waiting.delete(resolve);
    }
    return this.begin();
  }

  #change(change: 1 | -1): void {
    this.#running += change;
    // One of them begins; the others find that, and wait again.
    if (this.isIdle) for (const look of this.#waiting) look();
  }
}

export class JobHere {
  readonly #count: (change: 1 | -1) => void;
  #state: "running" | "waiting" | "over" = "running";

  constructor(count: (change: 1 | -1) => void) {
    this.#count = count;
  }

  wait(): void {
    this.#leave("waiting");
  }

  proceed(): void {
    if (this.#state !== "waiting") return;
    this.#state = "running";
    this.#count(1);
  }

  end(): void {
    this.#leave("over");
  }

  #leave(state: "waiting" | "over"): void {
    const wasRunning = this.#state === "running";
    this.#state = state;
    if (wasRunning) this.#count(-1);
  }
}

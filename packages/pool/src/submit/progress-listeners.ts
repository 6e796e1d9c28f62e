/** Who listens to the progress of which job, by number; jobs that nobody listens to have number 0 and post nothing. */
import { AsyncScope } from "@skein/context";
import { queueMicrotask } from "../shared/timers.ts";

interface Report {
  readonly listener: (value: unknown) => void;
  readonly value: unknown;
}

export class ProgressListeners {
  readonly #listeners = new Map<number, (value: unknown) => void>();
  /** Reported, and not yet told: a message may be taken in while entries of the ledger move. */
  #reports: Report[] = [];
  #next = 1;

  /**
   * @param onProgress Called in the context of the call of this. What it throws becomes an uncaught exception.
   * @returns the number of a new listener, never 0.
   */
  add(onProgress: (value: unknown) => void): number {
    const scope = AsyncScope.capture();
    let id = this.#next;
    while (id === 0 || this.#listeners.has(id)) id = (id + 1) & 0x7fff_ffff;
    this.#next = (id + 1) & 0x7fff_ffff;
    this.#listeners.set(id, (value) => {
      try {
        scope.run(onProgress, value);
      } catch (error) {
        AsyncScope.root.run(queueMicrotask, () => {
          throw error;
        });
      }
    });
    return id;
  }

  remove(id: number): void {
    this.#listeners.delete(id);
  }

  /** A job that is over has no listener any more: what comes late is dropped. The listener is called by the next `deliver`. */
  report(id: number, value: unknown): void {
    const listener = this.#listeners.get(id);
    if (listener === undefined) return;
    if (this.#reports.push({ listener, value }) === 1) AsyncScope.root.run(queueMicrotask, this.deliver);
  }

  get isEmpty(): boolean {
    return this.#reports.length === 0;
  }

  /** User code runs here, and may come back here: what is left is delivered then. */
  readonly deliver = (): void => {
    while (this.#reports.length > 0) {
      const reports = this.#reports;
      this.#reports = reports.slice(1);
      reports[0]!.listener(reports[0]!.value);
    }
  };
}

/** Who listens to the progress of which job, by number; jobs that nobody listens to have number 0 and post nothing. */
export class ProgressListeners {
  readonly #listeners = new Map<number, (value: unknown) => void>();
  #next = 1;

  /** @returns the number of a new listener, never 0. */
  add(listener: (value: unknown) => void): number {
    const id = this.#next;
    this.#next = (this.#next + 1) & 0x7fff_ffff || 1;
    this.#listeners.set(id, listener);
    return id;
  }

  remove(id: number): void {
    this.#listeners.delete(id);
  }

  /** A job that is over has no listener any more: what comes late is dropped. */
  report(id: number, value: unknown): void {
    this.#listeners.get(id)?.(value);
  }
}

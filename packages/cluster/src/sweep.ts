/** Asks for one after the other of many, a round at a time: from where the last round ended, and after the last the first again. */

/** How many one round asks for. */
const ROUND = 1000;

export class Sweep<T> {
  readonly #all: () => Iterator<T>;
  readonly #ask: (each: T) => Promise<void> | null;
  #rest: Iterator<T>;
  /** Of the last round, those that were not answered. */
  #unanswered = 0;

  /** @param ask Must not reject. Null: there is nothing to ask of it now. */
  constructor(all: () => Iterator<T>, ask: (each: T) => Promise<void> | null) {
    this.#all = all;
    this.#ask = ask;
    this.#rest = all();
  }

  /** Nothing while the last round is under way: while the store is away, no questions pile up. */
  round(): void {
    if (this.#unanswered > 0) return;
    while (this.#unanswered < ROUND) {
      const next = this.#rest.next();
      if (next.done === true) {
        this.#rest = this.#all();
        return;
      }
      const asked = this.#ask(next.value);
      if (asked === null) continue;
      this.#unanswered++;
      void asked.then(() => this.#unanswered--);
    }
  }
}

/** First in, first out, at constant cost; memory follows what it holds. */
export class ItemQueue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  /** Not called when it is empty. */
  take(): T {
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head > 32 && this.#head > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undefined is what was added, or the caller's mistake.
    return item as T;
  }

  toArray(): T[] {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- behind the head nothing was taken.
    return this.#items.slice(this.#head) as T[];
  }
}

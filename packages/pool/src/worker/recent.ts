/**
 * What a thread has made of things that submitters number, as far as it was used lately. Each submitter counts for itself, so there is a table
 * for each; it goes when the submitter has ended.
 */
export class RecentBySubmitter<V> {
  readonly #limit: number;
  readonly #tables = new Map<number, Recent<V>>();
  #lastSerial = -1;
  #last: Recent<V>;

  /** @param limit How many are kept of each submitter, at least; at most twice as many. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#last = new Recent(limit);
  }

  get(serial: number, id: number): V | undefined {
    return this.#of(serial).get(id);
  }

  set(serial: number, id: number, value: V): void {
    this.#of(serial).set(id, value);
  }

  /** The thread with this serial has ended. */
  drop(serial: number): void {
    this.#tables.delete(serial);
    this.#lastSerial = -1;
    this.#last = new Recent(this.#limit);
  }

  #of(serial: number): Recent<V> {
    if (serial === this.#lastSerial) return this.#last;
    let table = this.#tables.get(serial);
    if (table === undefined) this.#tables.set(serial, (table = new Recent(this.#limit)));
    this.#lastSerial = serial;
    return (this.#last = table);
  }
}

/** Two generations: when the younger is full, the older is forgotten. A value that is used moves to the younger. */
class Recent<V> {
  readonly #limit: number;
  #young = new Map<number, V>();
  #old = new Map<number, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(id: number): V | undefined {
    const value = this.#young.get(id);
    return value === undefined ? this.#fromOld(id) : value;
  }

  set(id: number, value: V): void {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map<number, V>();
    }
    this.#young.set(id, value);
  }

  #fromOld(id: number): V | undefined {
    const value = this.#old.get(id);
    if (value === undefined) return undefined;
    this.#old.delete(id);
    this.set(id, value);
    return value;
  }
}

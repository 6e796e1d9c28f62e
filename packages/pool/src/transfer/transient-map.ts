/**
 * A Map that keeps its newest entry beside its table, for entries that as a rule go before the next one comes: they never enter the table. When
 * the last entry of a Map goes, V8 makes its table anew, that of a Map which has lived for a while in its old space, and then asks itself
 * whether to collect the whole heap. With an entry for each message that moves memory it did so far more often than that memory asks for.
 */
export class TransientMap<K, V extends object> {
  readonly #older = new Map<K, V>();
  #newestKey: K | undefined = undefined;
  /** Null: there is none beside the table. */
  #newest: V | null = null;

  get size(): number {
    return this.#older.size + (this.#newest === null ? 0 : 1);
  }

  get(key: K): V | undefined {
    if (this.#newest !== null && this.#newestKey === key) return this.#newest;
    return this.#older.size === 0 ? undefined : this.#older.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  set(key: K, value: V): void {
    if (this.#older.size > 0 && this.#older.has(key)) {
      this.#older.set(key, value);
      return;
    }
    if (this.#newest !== null && this.#newestKey !== key) this.#older.set(this.#newestKey!, this.#newest);
    this.#newestKey = key;
    this.#newest = value;
  }

  /** @returns whether it was there. */
  delete(key: K): boolean {
    if (this.#newest === null || this.#newestKey !== key)
      return this.#older.size > 0 && this.#older.delete(key);
    this.#newest = null;
    this.#newestKey = undefined;
    return true;
  }

  /** Entries may be deleted meanwhile; what is set meanwhile may be left out. */
  *entries(): Generator<[K, V]> {
    yield* this.#older;
    if (this.#newest !== null) yield [this.#newestKey!, this.#newest];
  }
}

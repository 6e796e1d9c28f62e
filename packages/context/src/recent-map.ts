import { WeakMap } from "./intrinsics.ts";

/** At least so many of the last are kept, twice as many at most. */
export const KEPT = 1024;

/**
 * What was made of objects lately, found by the object, which it keeps alive no longer than others do. For objects most of which are new: of
 * a WeakMap alone V8 visits all entries in each collection of young objects, those of dead ones too until it has collected the whole heap. That
 * takes longer than all else that is done for a new object; two maps, of which the older is let go again and again, stay small.
 */
export class RecentMap<K extends WeakKey, V extends object> {
  #recent = new WeakMap<K, V>();
  #older = new WeakMap<K, V>();
  #count = 0;

  /** Undefined also for one that was not asked for while many others were. */
  get(key: K): V | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    if (this.#count === KEPT) {
      this.#older = this.#recent;
      this.#recent = new WeakMap();
      this.#count = 0;
    }
    this.#count++;
    this.#recent.set(key, value);
  }
}

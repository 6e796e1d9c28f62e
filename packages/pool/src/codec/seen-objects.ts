/**
 * Which objects one message has met, numbered in the order of their first visit.
 *
 * Most messages hold a handful of objects. Measured: comparing against each is cheapest up to two dozen, `indexOf` up to some
 * more, and hashing in a Map beyond.
 */
import { arrayIndexOf, Map, mapGet, mapSet } from "../shared/intrinsics.ts";

const loopLimit = 24;
const scanLimit = 64;

export class SeenObjects {
  /** Never resized; what lies behind the count is undefined, and so equal to no object. */
  readonly #few: (object | undefined)[] = [];
  #many: Map<object, number> | undefined = undefined;
  #count = 0;

  constructor() {
    for (let i = 0; i < scanLimit; i++) this.#few[i] = undefined;
  }

  /** The number that `value` already has, or -1: then it gets the next one. */
  numberOf(value: object): number {
    const count = this.#count;
    if (count >= scanLimit) return this.#numberAmongMany(value);
    const few = this.#few;
    if (count < loopLimit) {
      for (let i = 0; i < count; i++) if (few[i] === value) return i;
    } else {
      const known = arrayIndexOf(few, value);
      if (known >= 0) return known;
    }
    few[count] = value;
    this.#count = count + 1;
    return -1;
  }

  #numberAmongMany(value: object): number {
    let many = this.#many;
    if (many === undefined) {
      many = new Map();
      for (let i = 0; i < scanLimit; i++) mapSet(many, this.#few[i]!, i);
      this.#many = many;
    }
    const known = mapGet(many, value);
    if (known !== undefined) return known;
    mapSet(many, value, this.#count++);
    return -1;
  }

  /** What comes next has nothing in common with what was met; numbers go on. */
  forget(): void {
    if (this.#count >= scanLimit) this.#many = new Map();
    const used = this.#count < scanLimit ? this.#count : scanLimit;
    for (let i = 0; i < used; i++) this.#few[i] = undefined;
  }

  /** Lets go of every object: the scratch of an encoder must not keep a caller's values alive. */
  clear(): void {
    const used = this.#count < scanLimit ? this.#count : scanLimit;
    for (let i = 0; i < used; i++) this.#few[i] = undefined;
    this.#many = undefined;
    this.#count = 0;
  }
}

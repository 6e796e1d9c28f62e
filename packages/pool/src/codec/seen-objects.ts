/**
 * Which objects one message has met, numbered in the order of their first visit.
 *
 * Most messages hold a handful of objects: comparing against each of a few is cheaper than hashing. From `linearLimit`
 * on, a Map takes over, so that a large tree does not become quadratic.
 */
const linearLimit = 24;

export class SeenObjects {
  readonly #few: (object | undefined)[] = Array.from<undefined>({ length: linearLimit });
  #many: Map<object, number> | undefined = undefined;
  #count = 0;

  /** The number that `value` already has, or -1: then it gets the next one. */
  numberOf(value: object): number {
    const count = this.#count;
    if (count < linearLimit) {
      const few = this.#few;
      for (let i = 0; i < count; i++) if (few[i] === value) return i;
      few[count] = value;
      this.#count = count + 1;
      return -1;
    }
    return this.#numberAmongMany(value);
  }

  #numberAmongMany(value: object): number {
    let many = this.#many;
    if (many === undefined) {
      many = new Map();
      for (let i = 0; i < linearLimit; i++) many.set(this.#few[i]!, i);
      this.#many = many;
    }
    const known = many.get(value);
    if (known !== undefined) return known;
    many.set(value, this.#count++);
    return -1;
  }

  /** Lets go of every object: the scratch of an encoder must not keep a caller's values alive. */
  clear(): void {
    const used = Math.min(this.#count, linearLimit);
    for (let i = 0; i < used; i++) this.#few[i] = undefined;
    this.#many = undefined;
    this.#count = 0;
  }
}

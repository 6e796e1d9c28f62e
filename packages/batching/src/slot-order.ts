const ABSENT = -1;

/** Slot numbers in the order in which they were appended, each at most once. Every operation is O(1) and allocates nothing. */
export class SlotOrder {
  /** A ring through all present slots and, at index `slots`, the end that closes it. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #end: number;

  constructor(slots: number) {
    this.#end = slots;
    this.#next = new Int32Array(slots + 1).fill(ABSENT);
    this.#previous = new Int32Array(slots + 1).fill(ABSENT);
    this.#next[slots] = slots;
    this.#previous[slots] = slots;
  }

  has(slot: number): boolean {
    return this.#next[slot] !== ABSENT;
  }

  /** The one that was appended before all others, or -1. */
  first(): number {
    return this.after(this.#end);
  }

  /** The one appended after `slot`, or -1. */
  after(slot: number): number {
    const next = this.#next[slot]!;
    return next === this.#end ? ABSENT : next;
  }

  /** Without effect when it is present. */
  append(slot: number): void {
    if (this.has(slot)) return;
    const last = this.#previous[this.#end]!;
    this.#next[last] = slot;
    this.#previous[slot] = last;
    this.#next[slot] = this.#end;
    this.#previous[this.#end] = slot;
  }

  /** Without effect when it is absent. */
  remove(slot: number): void {
    if (!this.has(slot)) return;
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    this.#next[slot] = ABSENT;
    this.#previous[slot] = ABSENT;
  }
}

/** Checksums of slots that threads put in and take out: equal sums mean nothing lost and nothing twice. */
export interface Tally {
  readonly count: number;
  /** Sum of all slots modulo 2^32, and one that depends on each value alone. */
  readonly sum: number;
  readonly mixed: number;
  /** What came in the wrong order. */
  readonly disorder: number;
}

export class Counter implements Tally {
  count = 0;
  sum = 0;
  mixed = 0;
  disorder = 0;
  #last = 0;

  add(slot: number): void {
    this.count++;
    this.sum = (this.sum + slot) | 0;
    this.mixed = (this.mixed + Math.imul(slot + 1, slot ^ 0x9e3779b9)) | 0;
  }

  /** The positions of one thread only grow, at whatever place of the 32 bits they are. */
  addAt(slot: number, position: number): void {
    if (this.count > 0 && ((position - this.#last) | 0) <= 0) this.disorder++;
    this.#last = position;
    this.add(slot);
  }

  tally(): Tally {
    const { count, sum, mixed, disorder } = this;
    return { count, sum, mixed, disorder };
  }
}

export function total(tallies: readonly Tally[]): Omit<Tally, "disorder"> {
  return tallies.reduce(
    (a, b) => ({ count: a.count + b.count, sum: (a.sum + b.sum) | 0, mixed: (a.mixed + b.mixed) | 0 }),
    { count: 0, sum: 0, mixed: 0 },
  );
}

/**
 * The slices of one lane, the newest `CAPACITY` of them, in columns: tens of thousands are walked for each frame. They come in the order in
 * which they end, so what is inside another comes before it; how deep each lies is known once the outer one has come.
 */
import { KINDS, OUTCOMES, type Outcome, POLICIES, type Policy, type Slice, type SliceKind } from "../wire.ts";

const CAPACITY = 1 << 17;
const FIRST = 1 << 10;

export class SliceRing {
  start: Float64Array<ArrayBuffer> = new Float64Array(FIRST);
  end: Float64Array<ArrayBuffer> = new Float64Array(FIRST);
  job: Float64Array<ArrayBuffer> = new Float64Array(FIRST);
  fn: Float64Array<ArrayBuffer> = new Float64Array(FIRST);
  kind: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST);
  outcome: Int8Array<ArrayBuffer> = new Int8Array(FIRST);
  /** Of what settles: the index of its job's policy in POLICIES. */
  policy: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST);
  depth: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST);
  /** Of all that have come; those from `first` on are there. */
  count = 0;
  #size = FIRST;

  get first(): number {
    return Math.max(0, this.count - this.#size);
  }

  /** Where the columns have the slice with this number. */
  at(number: number): number {
    return number & (this.#size - 1);
  }

  /**
   * @param policy Of its job.
   * @returns how much of it the slices directly inside take, in microseconds.
   */
  add({ start, end, job, fn, kind, outcome }: Slice, policy: Policy | null = null): number {
    if (this.count >= this.#size && this.#size < CAPACITY) this.#grow();
    const i = this.at(this.count);
    this.start[i] = start;
    this.end[i] = end;
    this.job[i] = job;
    this.fn[i] = fn;
    this.kind[i] = KINDS.indexOf(kind);
    this.outcome[i] = outcome === null ? -1 : OUTCOMES.indexOf(outcome);
    this.policy[i] = policy === null ? 0 : POLICIES.indexOf(policy);
    this.depth[i] = 0;
    this.count++;
    return this.#deepen(this.count - 2, start);
  }

  kindAt(i: number): SliceKind {
    return KINDS[this.kind[i]!]!;
  }

  outcomeAt(i: number): Outcome | null {
    return this.outcome[i]! < 0 ? null : OUTCOMES[this.outcome[i]!]!;
  }

  /** The number of the first slice that ends at this time or later; `count` if there is none. */
  endingFrom(time: number): number {
    let low = this.first;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.end[this.at(middle)]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The slices that came before and began after `start` lie inside. */
  #deepen(last: number, start: number): number {
    let inside = 0;
    for (let number = last; number >= this.first; number--) {
      const i = this.at(number);
      if (this.start[i]! < start) break;
      if (this.depth[i] === 0) inside += this.end[i]! - this.start[i]!;
      if (this.depth[i]! < 255) this.depth[i]!++;
    }
    return inside;
  }

  #grow(): void {
    const size = this.#size;
    this.#size *= 2;
    const grown = <T extends Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Int8Array<ArrayBuffer>>(
      column: T,
    ): T => {
      const larger = new (column.constructor as new (length: number) => T)(this.#size);
      larger.set(column.subarray(0, size));
      return larger;
    };
    this.start = grown(this.start);
    this.end = grown(this.end);
    this.job = grown(this.job);
    this.fn = grown(this.fn);
    this.kind = grown(this.kind);
    this.outcome = grown(this.outcome);
    this.policy = grown(this.policy);
    this.depth = grown(this.depth);
  }
}

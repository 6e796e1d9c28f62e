/**
 * The numbers that a list begins with. Each element is read once: it may be an accessor, and be something else the next time. So they are
 * kept while it is found out whether there is anything but numbers.
 */
import { Float64Array, Int32Array } from "../shared/intrinsics.ts";

/** So many go into memory that is used again: by then most lists that hold something else have shown it. */
const keptNumbers = 256;

type Ints = Int32Array<ArrayBuffer>;
type Doubles = Float64Array<ArrayBuffer>;

export interface LeadingNumbers {
  /** Doubles, unless all are int32. There may be room for more; what is kept is overwritten by the next list. */
  readonly numbers: Ints | Doubles;
  readonly count: number;
  /** What comes after them; undefined if nothing does. */
  readonly next: unknown;
}

/** For one encoder: accessors of a list may encode lists with another. */
export class NumberReader {
  readonly #ints: Ints = new Int32Array(keptNumbers);
  readonly #doubles: Doubles = new Float64Array(keptNumbers);
  /** What a loop below has stopped at. */
  #next: unknown = undefined;

  /** @param first The first element of `list`, which has `length` of them. */
  read(list: readonly unknown[], length: number, first: number): LeadingNumbers {
    if (!isInt32(first)) return this.#readDoubles(list, length, this.#ints, 0, first);
    const few = length < keptNumbers ? length : keptNumbers;
    let ints = this.#ints;
    ints[0] = first;
    let count = this.#fillInts(ints, list, 1, few);
    if (count === few && few < length) {
      ints = filled(new Int32Array(length), ints, few);
      count = this.#fillInts(ints, list, few, length);
    }
    const next = this.#takeNext();
    return typeof next === "number"
      ? this.#readDoubles(list, length, ints, count, next)
      : { numbers: ints, count, next };
  }

  /** @param ints What comes before `value`, which is no int32: `count` of them. */
  #readDoubles(
    list: readonly unknown[],
    length: number,
    ints: Ints,
    count: number,
    value: number,
  ): LeadingNumbers {
    const few = length < keptNumbers ? length : keptNumbers;
    let doubles = filled(count < few ? this.#doubles : new Float64Array(length), ints, count);
    doubles[count++] = value;
    if (count <= few) {
      count = this.#fillDoubles(doubles, list, count, few);
      if (count < few || few === length) return { numbers: doubles, count, next: this.#takeNext() };
      doubles = filled(new Float64Array(length), doubles, few);
    }
    count = this.#fillDoubles(doubles, list, count, length);
    return { numbers: doubles, count, next: this.#takeNext() };
  }

  /** @returns the index at which it has stopped: `to`, or that of the first element that is no int32. */
  #fillInts(ints: Ints, list: readonly unknown[], from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const value = list[i];
      if (!isInt32(value)) {
        this.#next = value;
        return i;
      }
      ints[i] = value;
    }
    return to;
  }

  #fillDoubles(doubles: Doubles, list: readonly unknown[], from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const value = list[i];
      if (typeof value !== "number") {
        this.#next = value;
        return i;
      }
      doubles[i] = value;
    }
    return to;
  }

  /** Undefined if no loop has stopped before its end. Lets go of it. */
  #takeNext(): unknown {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }
}

/** A loop, because `set` is slow between arrays of different kinds. */
function filled<T extends Ints | Doubles>(target: T, source: Ints | Doubles, count: number): T {
  for (let i = 0; i < count; i++) target[i] = source[i]!;
  return target;
}

function isInt32(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value && (value !== 0 || 1 / value > 0);
}

/** Values over time, the newest `CAPACITY` of them, each with the time from which it holds. */
const CAPACITY = 1 << 13;

export class Series {
  readonly #times = new Float64Array(CAPACITY);
  readonly #values: readonly Float64Array[];
  #count = 0;

  constructor(width: number) {
    this.#values = Array.from({ length: width }, () => new Float64Array(CAPACITY));
  }

  get first(): number {
    return Math.max(0, this.#count - CAPACITY);
  }

  get count(): number {
    return this.#count;
  }

  add(time: number, ...values: number[]): void {
    const i = this.#count % CAPACITY;
    this.#times[i] = time;
    for (const [column, value] of values.entries()) this.#values[column]![i] = value;
    this.#count++;
  }

  time(number: number): number {
    return this.#times[number % CAPACITY]!;
  }

  value(number: number, column = 0): number {
    return this.#values[column]![number % CAPACITY]!;
  }

  /** The number of the last value that holds at `time`; `first` if all are later. */
  holdingAt(time: number): number {
    let low = this.first;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time(middle) <= time) low = middle + 1;
      else high = middle;
    }
    return Math.max(this.first, low - 1);
  }

  /** The largest sum of a row between two times. */
  largest(from: number, to: number): number {
    let largest = 0;
    for (let number = this.holdingAt(from); number < this.#count && this.time(number) <= to; number++) {
      let sum = 0;
      for (let column = 0; column < this.#values.length; column++) sum += this.value(number, column);
      largest = Math.max(largest, sum);
    }
    return largest;
  }
}

/**
 * When the jobs of one lane awaited something: the newest `CAPACITY` times, in columns, in the order in which they ended. They overlap: one
 * thread may have many jobs that await.
 */
const CAPACITY = 1 << 14;

export class Awaits {
  readonly start: Float64Array = new Float64Array(CAPACITY);
  readonly end: Float64Array = new Float64Array(CAPACITY);
  readonly job: Float64Array = new Float64Array(CAPACITY);
  readonly fn: Float64Array = new Float64Array(CAPACITY);
  count = 0;

  get first(): number {
    return Math.max(0, this.count - CAPACITY);
  }

  /** Where the columns have the time with this number. */
  at(number: number): number {
    return number & (CAPACITY - 1);
  }

  add(start: number, end: number, job: number, fn: number): void {
    const i = this.at(this.count++);
    this.start[i] = start;
    this.end[i] = end;
    this.job[i] = job;
    this.fn[i] = fn;
  }
}

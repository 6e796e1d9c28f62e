/**
 * What a distribution of a pool has taken in since the last look, to be recorded one by one in somebody's histogram. Threads count in shared
 * memory, so a job costs nothing more; a look costs a bounded number of records, whatever the number of jobs.
 */
import type { Distribution } from "@skein/pool";

/** A millisecond of work for a histogram, about. */
const MAX_VALUES = 1000;

export class NewValues {
  readonly #counted = new Map<number, number>();

  /** In seconds, ascending. When there are more than 1,000, an even choice of them. */
  take({ histogram }: Distribution): number[] {
    const added: [seconds: number, count: number][] = [];
    let total = 0;
    for (const [ms, count] of histogram) {
      const more = count - (this.#counted.get(ms) ?? 0);
      this.#counted.set(ms, count);
      if (more > 0) added.push([ms / 1000, more]);
      total += more;
    }
    const step = Math.max(1, total / MAX_VALUES);
    const values: number[] = [];
    let passed = 0;
    for (const [seconds, count] of added) {
      passed += count;
      while ((values.length + 1) * step <= passed + 1e-6) values.push(seconds);
    }
    return values;
  }
}

/** Times of tasks, in milliseconds outside and microseconds inside. */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

const PERCENTILES = [0.001, 0.01, 0.1, 1, 2.5, 10, 25, 50, 75, 90, 97.5, 99, 99.9, 99.99, 99.999] as const;

type PercentileName =
  `p${"0_001" | "0_01" | "0_1" | "1" | "2_5" | "10" | "25" | "50" | "75" | "90" | "97_5" | "99" | "99_9" | "99_99" | "99_999"}`;

/** In milliseconds. */
export type PiscinaHistogramSummary = Readonly<
  Record<"average" | "mean" | "stddev" | "min" | "max" | PercentileName, number>
>;

export interface PiscinaHistogram {
  readonly runTime: PiscinaHistogramSummary;
  readonly waitTime: PiscinaHistogramSummary;
  resetRunTime(): void;
  resetWaitTime(): void;
}

export class Times {
  readonly #histogram: RecordableHistogram = createHistogram();

  get count(): number {
    return this.#histogram.count;
  }

  get meanMs(): number {
    return this.#histogram.mean / 1000;
  }

  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.trunc(ms * 1000)));
  }

  reset(): void {
    this.#histogram.reset();
  }

  summary(): PiscinaHistogramSummary {
    const { mean, stddev, min, max } = this.#histogram;
    const entries: [string, number][] = Object.entries({ average: mean, mean, stddev, min, max });
    for (const p of PERCENTILES)
      entries.push([`p${String(p).replace(".", "_")}`, this.#histogram.percentile(p)]);
    return Object.fromEntries(entries.map(([name, us]) => [name, us / 1000])) as PiscinaHistogramSummary;
  }
}

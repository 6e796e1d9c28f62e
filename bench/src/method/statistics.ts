/** Medians and their spread. */
export interface Summary {
  readonly median: number;
  /** Coefficient of variation: the standard deviation (n - 1) as a share of the mean. 0 for a single sample. */
  readonly variation: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** @throws RangeError without samples. */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError("No samples to summarize");
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  const squares = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const deviation = samples.length === 1 ? 0 : Math.sqrt(squares / (samples.length - 1));
  return {
    median: median(samples),
    variation: mean === 0 ? 0 : deviation / Math.abs(mean),
    min: Math.min(...samples),
    max: Math.max(...samples),
    count: samples.length,
  };
}

/** The mean of the middle two when their number is even. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest sample that at least a share `q` of all samples does not exceed. For many samples: latencies of one round. */
export function quantile(samples: readonly number[] | Float64Array, q: number): number {
  if (samples.length === 0) throw new RangeError("No samples to take a quantile of");
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

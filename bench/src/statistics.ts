/** Medians and their spread. */
export interface Summary {
  readonly median: number;
  /** Coefficient of variation. */
  readonly variation: number;
}

export function summarize(samples: readonly number[]): Summary {
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  const variance = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / samples.length;
  return { median: quantile(samples, 0.5), variation: Math.sqrt(variance) / mean };
}

export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

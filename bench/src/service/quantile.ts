/** The smallest sample that at least `q` of all samples do not exceed. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = Float64Array.from(samples).toSorted();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

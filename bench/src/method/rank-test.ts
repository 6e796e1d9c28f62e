/**
 * The Mann-Whitney test: how likely are two sets of samples to lie as far apart as these, if both came from the same distribution.
 * It looks at the order of the samples only, so that one outlier decides nothing.
 *
 * @see Mann, Whitney, "On a test of whether one of two random variables is stochastically larger than the other", 1947
 */

/** Up to so many arrangements are counted one by one; beyond, the normal approximation is good. */
const EXACT_LIMIT = 200_000;

/** Two-sided p value. 1 when there is nothing to compare. */
export function rankTest(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 1;
  const ranks = midRanks([...a, ...b]);
  const sum = ranks.slice(0, a.length).reduce((total, rank) => total + rank, 0);
  return arrangements(ranks.length, a.length) <= EXACT_LIMIT
    ? exact(ranks, a.length, sum)
    : approximate(ranks, a.length, sum);
}

/** Equal samples share the mean of their ranks. */
function midRanks(samples: readonly number[]): number[] {
  const order = samples.map((_, i) => i).toSorted((i, j) => samples[i]! - samples[j]!);
  const ranks = samples.map(() => 0);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && samples[order[to]!] === samples[order[from]!]) to++;
    for (let i = from; i < to; i++) ranks[order[i]!] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

/** Counts the choices of `size` ranks whose sum is at least as far from the middle: ways[k] maps a doubled sum to a count. */
function exact(ranks: readonly number[], size: number, observed: number): number {
  const ways: Map<number, number>[] = Array.from({ length: size + 1 }, () => new Map<number, number>());
  ways[0]!.set(0, 1);
  for (const [seen, rank] of ranks.entries()) {
    for (let taken = Math.min(size, seen + 1); taken > 0; taken--) {
      for (const [sum, count] of ways[taken - 1]!) {
        const key = sum + rank * 2;
        ways[taken]!.set(key, (ways[taken]!.get(key) ?? 0) + count);
      }
    }
  }
  const middle = size * (ranks.length + 1);
  const distance = Math.abs(observed * 2 - middle);
  let extreme = 0;
  let all = 0;
  for (const [sum, count] of ways[size]!) {
    all += count;
    if (Math.abs(sum - middle) >= distance) extreme += count;
  }
  return extreme / all;
}

function approximate(ranks: readonly number[], size: number, observed: number): number {
  const n = ranks.length;
  const mean = (n + 1) / 2;
  const spread = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  const variance = (size * (n - size) * spread) / (n * (n - 1));
  if (variance === 0) return 1;
  const z = Math.max(0, Math.abs(observed - size * mean) - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * upperTail(z));
}

function arrangements(n: number, k: number): number {
  let count = 1;
  for (let i = 1; i <= k; i++) count = (count * (n - k + i)) / i;
  return count;
}

/** P(Z > z) of the normal distribution; error below 1e-7. @see Abramowitz, Stegun, 26.2.17 */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}

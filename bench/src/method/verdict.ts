/**
 * Who is better, or a tie. A difference counts when two tests agree: the order of the samples (`rank-test.ts`, p below 5 %) and
 * the interval of the ratio (`ratio.ts`, 1 outside of it). Everything else is a tie, however far apart the medians are.
 */
import { rankTest } from "./rank-test.ts";
import { type Ratio, ratioOfMedians } from "./ratio.ts";
import type { Metric } from "./scenario.ts";

export interface Comparison {
  /** How many times better the first is: above 1, it is better, whether more or less is better. */
  readonly advantage: Ratio;
  readonly p: number;
  readonly verdict: "better" | "worse" | "tie";
}

export const SIGNIFICANCE = 0.05;

export function compare(
  ours: readonly number[],
  theirs: readonly number[],
  better: Metric["better"],
): Comparison {
  const advantage = better === "lower" ? ratioOfMedians(theirs, ours) : ratioOfMedians(ours, theirs);
  const p = rankTest(ours, theirs);
  return { advantage, p, verdict: better === "neither" ? "tie" : verdictOf(advantage, p, SIGNIFICANCE) };
}

export function verdictOf({ low, high }: Ratio, p: number, significance: number): Comparison["verdict"] {
  if (p >= significance) return "tie";
  if (low > 1) return "better";
  return high < 1 ? "worse" : "tie";
}

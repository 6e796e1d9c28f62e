/** Slower, faster, or the same: of two builds, from the samples of both. */
import { median } from "../method/statistics.ts";
import { compare, type Comparison, verdictOf } from "../method/verdict.ts";
import type { Metric } from "../method/scenario.ts";
import { advantageText } from "../report/tables.ts";
import { quantity } from "../report/quantities.ts";

export interface Measured {
  readonly place: string;
  readonly metric: Metric;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface Judgement extends Measured {
  readonly comparison: Comparison;
  readonly verdict: "faster" | "slower" | "same";
}

/** Many things are compared at once, and one false alarm spoils the lot: stricter than for a report. */
const SIGNIFICANCE = 0.01;
/** A difference below this is the layout of the code in memory as likely as its quality. */
const LEAST_DIFFERENCE = 0.03;

export function judge(measured: Measured): Judgement {
  const { metric, before, after } = measured;
  const comparison = compare(after, before, metric.better);
  const { advantage, p } = comparison;
  const strict = metric.better === "neither" ? "tie" : verdictOf(advantage, p, SIGNIFICANCE);
  const matters = Math.abs(Math.log(advantage.value)) > Math.log(1 + LEAST_DIFFERENCE);
  const verdict = strict === "tie" || !matters ? "same" : strict === "better" ? "faster" : "slower";
  return { ...measured, comparison, verdict };
}

/** What was slower, measured again: slower if it is so again, the same otherwise. A second measurement that failed takes nothing back. */
export function confirmed(first: Judgement, second: readonly Judgement[]): Judgement {
  const again = second.find(({ place, metric }) => place === first.place && metric.key === first.metric.key);
  if (again === undefined) return first;
  return again.verdict === "slower" ? again : { ...again, verdict: "same" };
}

export function judgementLine({ place, metric, before, after, comparison, verdict }: Judgement): string {
  const sides = [before, after].map((samples) => quantity(median(samples), metric.unit)).join(" → ");
  return `${verdict.padEnd(6)}  ${place}, ${metric.title}: ${sides}  ${advantageText(comparison).replaceAll("*", "")}`;
}

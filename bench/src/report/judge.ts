/** Skein next to everybody else, in every scenario and metric: who is better, by how much, or whether it is a tie. */
import type { RawContender, RawScenario } from "../method/raw-file.ts";
import type { Metric } from "../method/scenario.ts";
import { median } from "../method/statistics.ts";
import { compare, type Comparison } from "../method/verdict.ts";

/** The contender that all others are compared with: the first of ours that has samples. */
export function subjectOf(scenario: RawScenario): RawContender | undefined {
  return scenario.contenders.find(({ kind, samples }) => kind === "skein" && hasSamples(samples));
}

/** Null when one of them has no samples of this metric. */
export function compareWith(
  subject: RawContender,
  other: RawContender,
  { key, better }: Metric,
): Comparison | null {
  const ours = subject.samples[key] ?? [];
  const theirs = other.samples[key] ?? [];
  return ours.length === 0 || theirs.length === 0 ? null : compare(ours, theirs, better);
}

export interface Duel {
  readonly scenario: RawScenario;
  readonly metric: Metric;
  readonly ours: RawContender;
  /** The best configuration of its product, here and by this metric. */
  readonly theirs: RawContender;
  readonly comparison: Comparison;
}

/** One per product that is judged, and judged metric. */
export function duels(scenario: RawScenario): Duel[] {
  const ours = subjectOf(scenario);
  if (ours === undefined) return [];
  return scenario.metrics
    .filter(({ better }) => better !== "neither")
    .flatMap((metric) =>
      bestOfEach(scenario, metric).flatMap((theirs) => {
        const comparison = compareWith(ours, theirs, metric);
        return comparison === null ? [] : [{ scenario, metric, ours, theirs, comparison }];
      }),
    );
}

/** Of peers and of what the platform offers, the configuration with the best median. */
export function bestOfEach(scenario: RawScenario, metric: Metric): RawContender[] {
  const best = new Map<string, RawContender>();
  for (const contender of scenario.contenders) {
    if (contender.kind !== "peer" && contender.kind !== "native") continue;
    const mine = contender.samples[metric.key] ?? [];
    if (mine.length === 0) continue;
    const known = best.get(contender.product);
    if (known === undefined || isBetter(mine, known.samples[metric.key]!, metric))
      best.set(contender.product, contender);
  }
  return [...best.values()];
}

function isBetter(a: readonly number[], b: readonly number[], { better }: Metric): boolean {
  return better === "lower" ? median(a) < median(b) : median(a) > median(b);
}

export function hasSamples(samples: RawContender["samples"]): boolean {
  return Object.values(samples).some((values) => values.length > 0);
}

/** Where we stand next to a goal: what is measured, with its interval, and whether that meets it. */
import { ratioOfMedians, type Ratio } from "../method/ratio.ts";
import type { RawContender, RawScenario, RawSection } from "../method/raw-file.ts";
import type { Metric, Unit } from "../method/scenario.ts";
import { median } from "../method/statistics.ts";
import { bestOfEach, subjectOf } from "./judge.ts";
import { quantity, times } from "./quantities.ts";
import { table } from "./tables.ts";

export interface Goal {
  readonly what: string;
  readonly section: string;
  /** null: was not measured. */
  readonly measure: (section: RawSection) => Measured | null;
  readonly limit: number;
  readonly bound: "at least" | "at most";
}

interface Measured extends Ratio {
  readonly unit: Unit | "ratio";
  /** With whom it was compared. */
  readonly against?: string;
}

export interface MeasuredGoal {
  readonly goal: Goal;
  readonly measured: Measured;
}

/** Those of which there are samples. */
export function measuredGoals(goals: readonly Goal[], sections: readonly RawSection[]): MeasuredGoal[] {
  return goals.flatMap((goal) => {
    const section = sections.find((candidate) => candidate.section === goal.section);
    const measured = section === undefined ? null : goal.measure(section);
    return measured === null ? [] : [{ goal, measured }];
  });
}

export function isMet({ goal: { bound, limit }, measured: { value } }: MeasuredGoal): boolean {
  return isWithin(bound, limit, value);
}

function isWithin(bound: Goal["bound"], limit: number, value: number): boolean {
  return bound === "at least" ? value >= limit : value <= limit;
}

/** Empty without goals. */
export function goalTable(goals: readonly MeasuredGoal[]): string {
  return goals.length === 0 ? "" : table(["", "goal", "measured (95 %)", "met"], goals.map(rowOf));
}

function rowOf({ goal: { what, limit, bound }, measured }: MeasuredGoal): string[] {
  const text = (value: number): string =>
    measured.unit === "ratio" ? times(value) : quantity(value, measured.unit);
  const { value, low, high, against } = measured;
  const met = (at: number): boolean => isWithin(bound, limit, at);
  const certain = met(low) === met(high);
  return [
    what + (against === undefined ? "" : `, next to ${against}`),
    `${bound} ${text(limit)}`,
    `${text(value)} (${text(low)} – ${text(high)})`,
    `${met(value) ? "yes" : "**no**"}${certain ? "" : ", within the noise"}`,
  ];
}

/** How many times better we are than the best configuration of any peer, or of one that is named. */
export function next(scenario: string, key: string, peer?: string): Goal["measure"] {
  return (section) => {
    const found = scenarioOf(section, scenario);
    const metric = found?.metrics.find((candidate) => candidate.key === key);
    if (found === undefined || metric === undefined) return null;
    const ours = subjectOf(found);
    const theirs =
      peer === undefined ? bestPeer(found, metric) : found.contenders.find(({ name }) => name === peer);
    return ours === undefined || theirs === undefined
      ? null
      : ratio(ours, theirs, key, metric.better, theirs.name);
  };
}

/** The same between two of ours. */
export function between(scenario: string, key: string, one: string, other: string): Goal["measure"] {
  return (section) => {
    const found = scenarioOf(section, scenario);
    const metric = found?.metrics.find((candidate) => candidate.key === key);
    const [a, b] = [one, other].map((name) => found?.contenders.find((contender) => contender.name === name));
    return metric === undefined || a === undefined || b === undefined
      ? null
      : ratio(a, b, key, metric.better);
  };
}

/** The number itself, of the first of ours or of the one that is named. */
export function absolute(scenario: string, key: string, name?: string): Goal["measure"] {
  return (section) => {
    const found = scenarioOf(section, scenario);
    const metric = found?.metrics.find((candidate) => candidate.key === key);
    const ours =
      name === undefined ? found && subjectOf(found) : found?.contenders.find((own) => own.name === name);
    const samples = ours?.samples[key];
    if (metric === undefined || samples === undefined || samples.length === 0) return null;
    return {
      ...ratioOfMedians(
        samples,
        samples.map(() => 1),
      ),
      unit: metric.unit,
    };
  };
}

function ratio(
  a: RawContender,
  b: RawContender,
  key: string,
  better: Metric["better"],
  against?: string,
): Measured | null {
  const [mine, theirs] = [a.samples[key] ?? [], b.samples[key] ?? []];
  if (mine.length === 0 || theirs.length === 0) return null;
  const found = better === "lower" ? ratioOfMedians(theirs, mine) : ratioOfMedians(mine, theirs);
  return { ...found, unit: "ratio", ...(against === undefined ? {} : { against }) };
}

function bestPeer(scenario: RawScenario, metric: Metric): RawContender | undefined {
  const peers = bestOfEach(scenario, metric).filter(({ kind }) => kind === "peer");
  const value = (contender: RawContender): number =>
    median(contender.samples[metric.key]!) * (metric.better === "lower" ? -1 : 1);
  return peers.toSorted((a, b) => value(b) - value(a))[0];
}

function scenarioOf(section: RawSection, name: string): RawScenario | undefined {
  return section.scenarios.find((scenario) => scenario.name === name);
}

/** How much longer a queued job takes in a queue of so many than in one of `than`. */
export function growth(count: number, than: number): Goal["measure"] {
  return (section) => {
    const [long, short] = [count, than].map((length) => {
      const scenario = scenarioOf(section, `queued-${length}`);
      const samples = (scenario && subjectOf(scenario)?.samples["totalMs"]) ?? [];
      return samples.map((ms) => ms / length);
    });
    if (long!.length === 0 || short!.length === 0) return null;
    return { ...ratioOfMedians(long!, short!), unit: "ratio" };
  };
}

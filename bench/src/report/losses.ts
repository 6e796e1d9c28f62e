/** Wins and losses, all of them, and for each loss its reason and what would change it. */
import type { RawScenario, RawSection } from "../method/raw-file.ts";
import type { Reason, Section } from "../method/scenario.ts";
import { median } from "../method/statistics.ts";
import { type Duel, duels } from "./judge.ts";
import { position, quantity, times } from "./quantities.ts";
import { table } from "./tables.ts";

interface Entry {
  readonly raw: RawSection;
  readonly text: Section | null;
}

/** How often we are better, level and worse in each section, and next to whom we are worse. */
export function scoreTable(sections: readonly Entry[]): string {
  const rows = sections.map(({ raw, text }) => {
    const all = raw.scenarios.flatMap(duels);
    const of = (verdict: string): Duel[] => all.filter(({ comparison }) => comparison.verdict === verdict);
    const worse = Map.groupBy(of("worse"), ({ theirs }) => theirs.product);
    return [
      text?.title ?? raw.section,
      ...["better", "tie", "worse"].map((verdict) => String(of(verdict).length)),
      [...worse].map(([product, lost]) => `${product} ${lost.length}`).join(", "),
    ];
  });
  return table(["next to the best configuration of each", "better", "tie", "worse", "worse than"], rows);
}

/** All losses, under the mechanism that they have in common; empty without any. */
export function lossText(sections: readonly Entry[]): string {
  return sections
    .flatMap(({ raw, text }) => {
      const list = lossList(raw.scenarios, text);
      return list === "" ? [] : [`**${text?.title ?? raw.section}**\n\n${list}`];
    })
    .join("\n\n");
}

function lossList(scenarios: readonly RawScenario[], section: Section | null): string {
  const lost = scenarios.flatMap(duels).filter(({ comparison }) => comparison.verdict === "worse");
  const byReason = Map.groupBy(lost, (duel) => reasonOf(duel, section));
  return [...byReason]
    .map(([reason, group]) => {
      const places = [...Map.groupBy(group, placeOf)].map(
        ([place, same]) => `  - ${place}: ${against(same)}`,
      );
      return `- ${explanation(reason)}\n${places.join("\n")}`;
    })
    .join("\n");
}

/** Says how much of it is known: a reader must not take a guess for a finding. */
function explanation(reason: Reason | null): string {
  if (reason === null) return "_Reason not known._";
  const { basis, evidence, why, change } = reason;
  if (basis === "measured") {
    return `_Measured_${evidence === undefined ? "" : ` (${evidence})`}: ${why}. What would change it: ${change}.`;
  }
  return `${basis === "code" ? "_In the code, its weight not measured_" : "_Supposed, not checked_"}: ${why}. What may change it: ${change}.`;
}

/** The one that says most about where it holds. */
function reasonOf({ scenario, metric, theirs }: Duel, section: Section | null): Reason | null {
  const fitting = (section?.reasons ?? []).filter(
    ({ of, metric: key, product }) =>
      (of === undefined ||
        [of].flat().some((place) => place === scenario.name || place === scenario.group)) &&
      (key === undefined || key === metric.key) &&
      (product === undefined || product === theirs.product || product === theirs.name),
  );
  const precision = (reason: Reason): number =>
    [reason.of, reason.metric, reason.product].filter((part) => part !== undefined).length;
  return fitting.toSorted((a, b) => precision(b) - precision(a))[0] ?? null;
}

function placeOf({ scenario, metric }: Duel): string {
  return `${scenario.title}, ${metric.title}`;
}

/** All who are better in one place, the best in full. */
function against(same: readonly Duel[]): string {
  const [worst, ...others] = same.toSorted(
    (a, b) => a.comparison.advantage.value - b.comparison.advantage.value,
  );
  const { ours, theirs, metric, comparison } = worst!;
  const text = (samples: readonly number[]): string => quantity(median(samples), metric.unit);
  const { value, low, high } = comparison.advantage;
  const first =
    `${text(ours.samples[metric.key]!)} against ${text(theirs.samples[metric.key]!)} of ${theirs.name}, ` +
    `${times(1 / value)} worse (${times(1 / high)} – ${times(1 / low)})`;
  const rest = others.map((own) => `${own.theirs.product} ${times(1 / own.comparison.advantage.value)}`);
  return rest.length === 0 ? first : `${first}; also ${rest.join(", ")}`;
}

/** Contenders that failed, with what they said. */
export function failureList(sections: readonly RawSection[]): string {
  const lines = sections.flatMap(({ section, error, scenarios }) => [
    ...(error === null ? [] : [`- ${section}: ${firstLine(error)}`]),
    ...scenarios.flatMap((scenario) =>
      scenario.contenders
        .filter((contender) => contender.error !== null)
        .map(
          (contender) =>
            `- ${section}, ${scenario.title}${scenario.at === null ? "" : ` (${position(scenario.at, "")})`}: ${contender.name}: ${firstLine(contender.error!)}`,
        ),
    ),
  ]);
  return lines.join("\n");
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}

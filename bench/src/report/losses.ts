/** Wins and losses, all of them, and for each loss its reason and what would change it. */
import type { RawScenario, RawSection } from "../method/raw-file.ts";
import type { Reason, Section } from "../method/scenario.ts";
import { median } from "../method/statistics.ts";
import { type Duel, duels } from "./judge.ts";
import { position, quantity, times } from "./quantities.ts";
import { table } from "./tables.ts";

/** How often we are better, level, worse than each product, by section. */
export function scoreTable(sections: readonly { raw: RawSection; text: Section | null }[]): string {
  const rows = sections.flatMap(({ raw, text }) => {
    const all = raw.scenarios.flatMap(duels);
    const products = [...new Set(all.map(({ theirs }) => theirs.product))];
    return products.map((product) => {
      const verdicts = all
        .filter(({ theirs }) => theirs.product === product)
        .map(({ comparison }) => comparison.verdict);
      const count = (verdict: string): string => String(verdicts.filter((own) => own === verdict).length);
      return [`${text?.title ?? raw.section}: ${product}`, count("better"), count("tie"), count("worse")];
    });
  });
  return table(["next to the best configuration of each", "better", "tie", "worse"], rows);
}

/** The losses of one section as a list; empty without any. */
export function lossList(scenarios: readonly RawScenario[], section: Section | null): string {
  const lost = scenarios.flatMap(duels).filter(({ comparison }) => comparison.verdict === "worse");
  const byReason = Map.groupBy(lost, (duel) => reasonOf(duel, section));
  return [...byReason]
    .map(([reason, group]) => {
      const lines = [...Map.groupBy(group, placeOf)].map(
        ([place, same]) => `- ${place}: ${same.map(against).join("; ")}`,
      );
      return `${lines.join("\n")}\n\n  ${explanation(reason)}`;
    })
    .join("\n\n");
}

/** Says how much of it is known: a reader must not take a guess for a finding. */
function explanation(reason: Reason | null): string {
  if (reason === null) return "The reason is not known.";
  const { basis, evidence, why, change } = reason;
  if (basis === "measured") {
    return `Reason, measured${evidence === undefined ? "" : ` (${evidence})`}: ${why}. What would change it: ${change}.`;
  }
  const what =
    basis === "code"
      ? "What the code does there, and probably the reason; not isolated by a measurement"
      : "Supposed, not checked";
  return `${what}: ${why}. What may change it: ${change}.`;
}

/** The one that says most about where it holds. */
function reasonOf({ scenario, metric, theirs }: Duel, section: Section | null): Reason | null {
  const fitting = (section?.reasons ?? []).filter(
    ({ of, metric: key, product }) =>
      (of === undefined || of === scenario.name || of === scenario.group) &&
      (key === undefined || key === metric.key) &&
      (product === undefined || product === theirs.product),
  );
  const precision = (reason: Reason): number =>
    [reason.of, reason.metric, reason.product].filter((part) => part !== undefined).length;
  return fitting.toSorted((a, b) => precision(b) - precision(a))[0] ?? null;
}

function placeOf({ scenario, metric }: Duel): string {
  return `${scenario.title}, ${metric.title}`;
}

function against({ ours, theirs, metric, comparison }: Duel): string {
  const text = (samples: readonly number[]): string => quantity(median(samples), metric.unit);
  const { value, low, high } = comparison.advantage;
  return (
    `${text(ours.samples[metric.key]!)} against ${text(theirs.samples[metric.key]!)} of ${theirs.name}, ` +
    `${times(1 / value)} worse (${times(1 / high)} – ${times(1 / low)})`
  );
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

/** One section of the report: the question, pictures, tables, the settings of everybody. */
import type { RawScenario, RawSection } from "../method/raw-file.ts";
import type { Section } from "../method/scenario.ts";
import { groupTables, scenarioTables, table } from "./tables.ts";

export interface Picture {
  readonly file: string;
  readonly question: string;
}

/** `section` is null for a raw file of a section that there is no longer: its numbers are shown all the same. */
export function sectionText(raw: RawSection, section: Section | null, pictures: readonly Picture[]): string {
  const parts = [
    `## ${section?.title ?? raw.section}`,
    ...(section === null ? [] : [`_${section.question}_`, section.method]),
    ...(raw.error === null ? [] : ["**This section is not complete**: see the failures above."]),
    ...pictures.map(({ file, question }) => `![${question}](${file})`),
    ...blocks(raw, section),
    settings(raw),
  ];
  return parts.join("\n\n");
}

function blocks(raw: RawSection, section: Section | null): string[] {
  const done = new Set<string>();
  return raw.scenarios.flatMap((scenario) => {
    const { group } = scenario;
    const points = group === null ? [] : raw.scenarios.filter((other) => other.group === group);
    if (points.length < 2) return [`### ${scenario.title}`, scenarioTables(scenario)];
    if (done.has(group!)) return [];
    done.add(group!);
    return groupBlocks(points, section);
  });
}

function groupBlocks(points: readonly RawScenario[], section: Section | null): string[] {
  const [first] = points;
  const axis = section?.figures?.find(({ of, x }) => of === first!.group && x !== undefined)?.x?.title ?? "";
  const title = section?.groups?.[first!.group!] ?? first!.group!;
  const metrics = new Map(
    points.flatMap((point) => point.metrics.map((metric) => [metric.key, metric] as const)),
  );
  return [...metrics.values()].flatMap((metric) => [
    `### ${title}: ${metric.title}${axis === "" ? "" : `, by ${axis}`}`,
    groupTables(points, metric, axis),
  ]);
}

function settings(raw: RawSection): string {
  const rows = new Map<string, string>();
  for (const { contenders } of raw.scenarios) {
    for (const { name, configuration } of contenders) rows.set(name, configuration);
  }
  const body = table(["", "configuration"], [...rows]);
  return `<details><summary>Settings</summary>\n\n${body}\n\n</details>`;
}

/** The report of a folder of raw files: text and pictures. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RawSection, refuseMixture } from "../method/raw-file.ts";
import type { Section } from "../method/scenario.ts";
import { loadSection, sections as known } from "../sections.ts";
import { drawFigure } from "./figure.ts";
import { goalTable, measuredGoals } from "./goal-table.ts";
import { goals } from "./goals.ts";
import { headText, howToRead } from "./head.ts";
import { failureList, lossText, scoreTable } from "./losses.ts";
import { obstacleText } from "./obstacles.ts";
import { type Picture, sectionText } from "./section-text.ts";

interface Entry {
  readonly raw: RawSection;
  readonly text: Section | null;
}

/** @throws Error when the raw files are of different builds, Node versions or machines, or there are none. */
export async function writeReport(folder: string, raws: readonly RawSection[]): Promise<void> {
  if (raws.length === 0) throw new Error(`There are no raw files in ${folder}`);
  refuseMixture(raws);
  const order = Object.keys(known);
  const sorted = raws.toSorted((a, b) => order.indexOf(a.section) - order.indexOf(b.section));
  const entries: Entry[] = [];
  for (const raw of sorted) {
    entries.push({ raw, text: order.includes(raw.section) ? await loadSection(raw.section) : null });
  }
  mkdirSync(folder, { recursive: true });
  const texts = entries.map((entry) => sectionText(entry.raw, entry.text, draw(entry, folder)));
  writeFileSync(join(folder, "report.md"), `${frame(entries, texts).join("\n\n")}\n`);
}

function frame(entries: readonly Entry[], texts: readonly string[]): string[] {
  const raws = entries.map(({ raw }) => raw);
  const measured = measuredGoals(goals, raws);
  const goalRows = goalTable(measured);
  const unmet = obstacleText(measured);
  const failures = failureList(raws);
  const losses = lossText(entries);
  return [
    "# Benchmarks",
    headText(raws),
    howToRead(),
    `Sections: ${entries.map(({ raw, text }) => linkTo(text?.title ?? raw.section)).join(", ")}.`,
    ...(failures === "" ? [] : ["## Failures", failures]),
    ...(goalRows === "" ? [] : ["## Goals", goalRows]),
    ...(unmet === "" ? [] : ["### What keeps us from goals, and what was tried", unmet]),
    "## Wins and losses",
    scoreTable(entries),
    ...(losses === "" ? [] : ["### Where we are behind, and why", losses]),
    ...texts,
  ];
}

/** As GitHub names the anchors of headings. */
function linkTo(title: string): string {
  return `[${title}](#${title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-")})`;
}

/** Pictures for which there are samples. */
function draw({ raw, text }: Entry, folder: string): Picture[] {
  return (text?.figures ?? []).flatMap((figure) => {
    const svg = drawFigure(figure, raw.scenarios);
    if (svg === null) return [];
    const file = `${figure.name}.svg`;
    writeFileSync(join(folder, file), svg);
    return [{ file, question: figure.question }];
  });
}

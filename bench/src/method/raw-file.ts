/** One section's samples as a file: everything a report is written from. */
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { differences, type Fingerprint } from "./fingerprint.ts";
import type { ContenderResult } from "./interleave.ts";
import type { Kind, Metric, Scenario } from "./scenario.ts";

export interface RawContender {
  readonly name: string;
  readonly kind: Kind;
  readonly product: string;
  readonly configuration: string;
  /** By metric, one number per round. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly error: string | null;
}

export interface RawScenario {
  readonly name: string;
  readonly title: string;
  readonly group: string | null;
  readonly at: number | null;
  readonly metrics: readonly Metric[];
  readonly contenders: readonly RawContender[];
}

export interface RawSection {
  readonly format: 1;
  readonly section: string;
  readonly fingerprint: Fingerprint;
  readonly command: string;
  readonly rounds: number;
  readonly pinning: string;
  readonly startedAt: string;
  /** How many threads of the machine wanted to run in the minute before; older files lack it. */
  readonly loadBefore?: number;
  readonly seconds: number;
  readonly scenarios: readonly RawScenario[];
  /** Why the section as a whole stopped early. */
  readonly error: string | null;
}

export function rawScenario(scenario: Scenario, results: readonly ContenderResult[]): RawScenario {
  return {
    name: scenario.name,
    title: scenario.title,
    group: scenario.group ?? null,
    at: scenario.at ?? null,
    metrics: scenario.metrics,
    contenders: results.map(({ contender, samples, error }) => ({
      name: contender.name,
      kind: contender.kind,
      product: contender.product,
      configuration: contender.configuration,
      samples: Object.fromEntries(
        scenario.metrics.map(({ key }) => [key, samples.flatMap((sample) => sample[key] ?? []).map(shorten)]),
      ),
      error,
    })),
  };
}

/** Six digits: more than any of it is worth, and half the file. */
function shorten(value: number): number {
  return Number(value.toPrecision(6));
}

export function writeRaw(folder: string, raw: RawSection): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${raw.section}.raw.json`);
  writeFileSync(`${file}.tmp`, `${JSON.stringify(raw, null, 1)}\n`);
  renameSync(`${file}.tmp`, file);
}

/** All raw files of a folder. @throws Error when they do not belong together. */
export function readRawFolder(folder: string): RawSection[] {
  const sections = listRawFolder(folder);
  refuseMixture(sections);
  return sections;
}

/** The same, whether or not they belong together. */
export function listRawFolder(folder: string): RawSection[] {
  if (!existsSync(folder)) return [];
  const files = globSync("*.raw.json", { cwd: folder }).toSorted();
  return files.map((file) => readRaw(join(folder, file)));
}

/** @throws Error when it is not a raw file of this format. */
export function readRaw(file: string): RawSection {
  const raw = JSON.parse(readFileSync(file, "utf8")) as RawSection;
  if (raw.format !== 1) throw new Error(`${file} is not a raw file that this version reads`);
  return raw;
}

/** @throws Error naming what differs, when the sections are from different builds, Node versions or machines. */
export function refuseMixture(sections: readonly { section: string; fingerprint: Fingerprint }[]): void {
  const [first, ...others] = sections;
  for (const other of others) {
    const fields = differences(first!.fingerprint, other.fingerprint);
    if (fields.length === 0) continue;
    const values = fields.map(
      (field) =>
        `${field}: ${JSON.stringify(first!.fingerprint[field as keyof Fingerprint])} and ${JSON.stringify(other.fingerprint[field as keyof Fingerprint])}`,
    );
    throw new Error(
      `${first!.section} and ${other.section} cannot be compared, they were measured with different ${values.join("; ")}`,
    );
  }
}

/** The report of a folder: text and pictures. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { summarize } from "../method/statistics.ts";
import type { RawSection } from "../method/raw-file.ts";

export async function writeReport(folder: string, sections: readonly RawSection[]): Promise<void> {
  const lines = sections.flatMap((s) =>
    s.scenarios.flatMap((sc) => [
      `## ${sc.title}`,
      ...sc.contenders.map(
        (c) =>
          `${c.name} ${c.error ?? ""} ${sc.metrics.map((m) => (c.samples[m.key]!.length ? `${m.key} ${summarize(c.samples[m.key]!).median.toPrecision(4)} ±${(summarize(c.samples[m.key]!).variation * 100).toFixed(0)} %` : "")).join(" ")}`,
      ),
    ]),
  );
  writeFileSync(join(folder, "report.md"), `${lines.join("\n")}\n`);
  await Promise.resolve();
}

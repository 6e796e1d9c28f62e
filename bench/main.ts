/** `pnpm bench`: see README.md. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { runAgainst } from "./src/against/against.ts";
import { readRaw, readRawFolder } from "./src/method/raw-file.ts";
import { writeReport } from "./src/report/write-report.ts";
import { RUN_VARIABLE, runAll } from "./src/run/all-sections.ts";
import { type BenchOptions, HELP, parseOptions } from "./src/run/options.ts";
import { runSection, type SectionRun } from "./src/run/section-run.ts";
import { loadSection } from "./src/sections.ts";

process.exitCode = await main();

async function main(): Promise<number> {
  let options: BenchOptions | null;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  if (options.section !== null) return sectionProcess(options.section, options);
  try {
    if (options.report !== null) return await reportAgain(options.report);
    if (options.against !== null) return await runAgainst(options.against, options);
    return await runAll(options);
  } catch (error) {
    // Refusals and the like: a sentence says it.
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

async function reportAgain(path: string): Promise<number> {
  const isFolder = statSync(path).isDirectory();
  const folder = isFolder ? path : dirname(path);
  await writeReport(folder, isFolder ? readRawFolder(path) : [readRaw(path)]);
  return 0;
}

async function sectionProcess(name: string, options: BenchOptions): Promise<never> {
  // Whoever started this has been killed: nobody waits for the samples, and the next run must not be disturbed.
  process.once("disconnect", () => process.exit(1));
  const given = JSON.parse(process.env[RUN_VARIABLE] ?? "{}") as Pick<SectionRun, "fingerprint" | "pinning">;
  await runSection(await loadSection(name), {
    ...given,
    command: options.command.replace(/ --section .*$/, ""),
    out: options.out,
    rounds: options.rounds,
    roundsGiven: process.argv.includes("--rounds"),
  });
  // A contender that could not be closed would keep this process for ever.
  process.exit(0);
}

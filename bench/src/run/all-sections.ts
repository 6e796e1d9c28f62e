/** All sections, each in a process of its own, and the report at the end. What fails is reported, and does not stop the rest. */
import { spawn } from "node:child_process";
import { existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { takeFingerprint, type Fingerprint } from "../method/fingerprint.ts";
import { listRawFolder, readRaw, readRawFolder, refuseMixture, writeRaw } from "../method/raw-file.ts";
import { writeReport } from "../report/write-report.ts";
import { loadSection, sections } from "../sections.ts";
import type { BenchOptions } from "./options.ts";
import { choosePinning } from "./pinning.ts";

/** What a section's process is told by its environment. */
export const RUN_VARIABLE = "SKEIN_BENCH_RUN";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
/** A section that hangs is ended: the others are worth more. */
const SECTION_TIMEOUT_MS = 25 * 60_000;

/** The exit code: 1 when anything failed. */
export async function runAll(options: BenchOptions): Promise<number> {
  const names = options.only ?? Object.keys(sections);
  for (const name of names) await loadSection(name);
  const fingerprint = takeFingerprint(options.mode);
  prepareFolder(options, fingerprint);
  let failed = false;
  for (const name of names) {
    if (!(await runInProcess(name, options, fingerprint))) failed = true;
    const dist = takeFingerprint(options.mode).dist;
    if (dist !== fingerprint.dist) {
      rmSync(rawFile(options, name), { force: true });
      throw new Error(
        `The packages were built anew while ${name} ran: its samples are of two builds, and were dropped`,
      );
    }
  }
  const raw = readRawFolder(options.out);
  await writeReport(options.out, raw);
  process.stderr.write(`${join(options.out, "report.md")}\n`);
  const errors = raw
    .flatMap(({ scenarios }) => scenarios.flatMap(({ contenders }) => contenders))
    .filter(({ error }) => error !== null);
  return failed || errors.length > 0 ? 1 : 0;
}

/** All sections: what was there goes. Some: what is there has to be of the same build, before anything is measured. */
function prepareFolder({ out, only }: BenchOptions, fingerprint: Fingerprint): void {
  mkdirSync(out, { recursive: true });
  if (only === null) {
    for (const file of globSync("*.{raw.json,svg}", { cwd: out })) rmSync(join(out, file));
    return;
  }
  // What this run measures again may be of any build.
  const others = listRawFolder(out).filter(({ section }) => !only.includes(section));
  try {
    refuseMixture([{ section: "this run", fingerprint }, ...others]);
  } catch (error) {
    throw new Error(
      `${out} holds samples that this run cannot join: give another folder with --out, or run all sections`,
      {
        cause: error,
      },
    );
  }
}

function rawFile({ out }: BenchOptions, name: string): string {
  return join(out, `${name}.raw.json`);
}

async function runInProcess(name: string, options: BenchOptions, fingerprint: Fingerprint): Promise<boolean> {
  rmSync(rawFile(options, name), { force: true });
  const { prefix, description } = choosePinning();
  const [program, ...args] = [
    ...prefix,
    process.execPath,
    "--expose-gc",
    main,
    ...process.argv.slice(2),
    "--section",
    name,
  ];
  const code = await new Promise<string>((resolve) => {
    const child = spawn(program, args, {
      // The channel is there to be closed: a section ends when this process does.
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, [RUN_VARIABLE]: JSON.stringify({ fingerprint, pinning: description }) },
      timeout: SECTION_TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (status, signal) => resolve(signal ?? String(status)));
  });
  if (code === "0") return true;
  process.stderr.write(`FAILED ${name}: ended with ${code}\n`);
  if (!existsSync(rawFile(options, name))) return false;
  const raw = readRaw(rawFile(options, name));
  writeRaw(options.out, { ...raw, error: `${raw.error ?? "failed"} (${code})` });
  return false;
}

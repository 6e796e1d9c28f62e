/** `skein doctor`: looks for what keeps Skein from working in a project. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT, parseCommandLine, UsageError } from "./command-line.ts";
import { type Finding, warn } from "./doctor/finding.ts";
import { coresFinding, flagFindings, nodeFinding, threadFinding } from "./doctor/machine.ts";
import { copyFindings } from "./doctor/copies.ts";
import {
  bundlerFindings,
  jobModuleFindings,
  type Manifest,
  pnpFindings,
  readManifest,
  typeScriptJobModules,
} from "./doctor/project.ts";
import { tsconfigFindings } from "./doctor/tsconfig.ts";
import type { Command } from "./program.ts";

const help = `Usage: skein doctor [folder]

Looks at Node.js and its flags, at the cores and the CPU limit of the container,
and at the project in the folder (this one, if none is named): its bundlers, the
versions of Skein's packages in it, its tsconfig.json, and whether Node.js can
load its job modules, files called *.jobs.ts. Runs nothing of the project. Start
it as you start your program, with the same NODE_OPTIONS.

Exit code: 0 nothing will fail, 1 something will, 2 wrong usage.
`;

const labels: Readonly<Record<Finding["level"], string>> = { ok: "ok    ", warn: "warn  ", bad: "FAIL  " };

export const doctor: Command = {
  help,
  async run(args) {
    const { positionals } = parseCommandLine(args, { help: { type: "boolean", short: "h" } });
    if (positionals.length > 1) throw new UsageError("name one folder, or none for this one");
    const folder = resolve(positionals[0] ?? ".");
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new UsageError(`there is no folder ${folder}; give that of a project`);
    const findings = [nodeFinding(), coresFinding(), ...flagFindings(), await threadFinding()];
    findings.push(...projectFindings(folder));
    for (const { level, text } of findings) process.stdout.write(`${labels[level]}${text}\n`);
    return findings.some(({ level }) => level === "bad") ? EXIT.failed : EXIT.done;
  },
};

function projectFindings(folder: string): Finding[] {
  let manifest: Manifest | null;
  try {
    manifest = readManifest(folder);
  } catch (error) {
    throw new UsageError(`package.json in ${folder} is not JSON; correct it: ${(error as Error).message}`);
  }
  // Node warns that `glob` and `stripTypeScriptTypes` are experimental. This is the last thing that the command does.
  process.removeAllListeners("warning");
  const files = typeScriptJobModules(folder);
  return [
    ...(manifest === null
      ? [warn(`There is no package.json in ${folder}. Name the folder of a project.`)]
      : bundlerFindings(manifest)),
    ...copyFindings(folder),
    ...pnpFindings(folder),
    ...tsconfigFindings(folder, files),
    ...jobModuleFindings(folder, files, manifest),
  ];
}

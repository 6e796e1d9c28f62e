/** How a process of a pool is started: flags, environment, pipes. */
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ResourceLimits } from "node:worker_threads";
import { SkeinError } from "@skein/context/errors";
import { GENERATION_VARIABLE, generation } from "../jobs/pool-thread.ts";
import { bare } from "../shared/bare.ts";
import { processEntry } from "../thread-entry.ts";
import { process } from "../shared/intrinsics.ts";

/** As in `Worker`, as far as a process has it. */
export type ProcessLimits = Pick<
  ResourceLimits,
  "maxOldGenerationSizeMb" | "maxYoungGenerationSizeMb" | "stackSizeMb"
>;

export interface SpawnSettings {
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly argv: readonly string[] | undefined;
  readonly execArgv: readonly string[] | undefined;
  readonly resourceLimits: ProcessLimits | undefined;
}

const getBuiltinModule = process.getBuiltinModule.bind(process);

/** What the program was started to do, and how it is watched: a process would do the same, and take its port. */
const ORDER =
  /^(?:-[epci]$|-pe$|--(?:inspect|test|watch|input-type|eval|print|check|interactive|run|prof|cpu-prof|heap-prof)\b)/;
/** Their value may begin with a dash. */
const CODE = /^(?:-e|-p|-pe|--eval|--print)$/;

/** @throws what `spawn` throws; SkeinError ERR_SKEIN_THREAD_ENTRY in a bundle. */
export function spawnProcess(settings: SpawnSettings): ChildProcess {
  if (processEntry === null || !getBuiltinModule("node:fs").existsSync(processEntry)) throw noProcessEntry();
  const { env = process.env, argv = [], execArgv = withoutOrders(process.execArgv) } = settings;
  const args = [...execArgv, ...limitFlags(settings.resourceLimits), fileURLToPath(processEntry), ...argv];
  const options: SpawnOptions = {
    env: bare({ ...env, [GENERATION_VARIABLE]: String(generation + 1) }),
    // Output goes where that of the program goes, also when a process dies in the middle of it.
    stdio: ["ignore", "inherit", "inherit", "pipe", "pipe"],
    windowsHide: true,
  };
  return getBuiltinModule("node:child_process").spawn(process.execPath, args, bare(options));
}

/** How modules are found and compiled, and what is preloaded, is as in the program. */
export function withoutOrders(flags: readonly string[]): string[] {
  const kept: string[] = [];
  let last = "";
  for (const flag of flags) {
    const isValue = !flag.startsWith("-") || CODE.test(last);
    if (!ORDER.test(isValue ? last : flag)) kept.push(flag);
    last = isValue ? "" : flag;
  }
  return kept;
}

function limitFlags(limits: ProcessLimits | undefined): string[] {
  if (limits === undefined) return [];
  const { maxOldGenerationSizeMb, maxYoungGenerationSizeMb, stackSizeMb } = limits;
  const flags: string[] = [];
  if (maxOldGenerationSizeMb !== undefined) flags.push(`--max-old-space-size=${maxOldGenerationSizeMb}`);
  // The young generation is three semi-spaces.
  if (maxYoungGenerationSizeMb !== undefined)
    flags.push(`--max-semi-space-size=${Math.max(1, Math.floor(maxYoungGenerationSizeMb / 3))}`);
  if (stackSizeMb !== undefined) flags.push(`--stack-size=${Math.floor(stackSizeMb * 1024)}`);
  return flags;
}

function noProcessEntry(): SkeinError {
  return new SkeinError(
    "ERR_SKEIN_THREAD_ENTRY",
    `The first module of pool processes is not ${processEntry === null ? "in this bundle" : `at ${processEntry.href}`}. Leave @skein/pool external in ` +
      "a bundle that takes a ProcessPool",
  );
}

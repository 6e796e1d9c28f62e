/** Node.js itself, its flags, and the cores that it may use. */
import { cpus } from "node:os";
import { ThreadPool } from "@skein/pool";
import { availableCores, cpuQuota } from "@skein/pool/engine";
import { bad, type Finding, ok, warn } from "./finding.ts";

/** The command itself does not run on a Node that is too old. */
export function nodeFinding(): Finding {
  return ok(`Node.js ${process.versions.node} on ${process.platform} ${process.arch}.`);
}

/** @param quota In cores. */
export function coresFinding(quota: number = cpuQuota(), all: number = cpus().length): Finding {
  const cores = `${all} ${all === 1 ? "core" : "cores"}`;
  const limit = String(Math.round(quota * 100) / 100);
  if (quota < 1)
    return warn(
      `The CPU limit of this container is ${limit} cores, which the main thread and those of a pool share. Raise it to gain from threads.`,
    );
  const threads = availableCores(quota);
  return ok(
    `The machine has ${cores}${quota < all ? `, and this container a CPU limit of ${limit}` : ""}: ` +
      `a pool has up to ${threads} ${threads === 1 ? "thread" : "threads"} by default.`,
  );
}

interface FlagTrap {
  readonly flag: RegExp;
  readonly finding: (flag: string) => Finding;
}

const traps: readonly FlagTrap[] = [
  {
    flag: /^--(?:experimental-)?loader\b/,
    finding: (flag) =>
      warn(
        `${flag} runs on every thread and slows its start. Use --import with module.register() or registerHooks().`,
      ),
  },
  {
    flag: /^(?:--import|--require|-r)(?:=|$)/,
    finding: (flag) =>
      warn(
        `${flag} is loaded by every thread as well. If only the main thread needs it, give the pool \`execArgv: []\`.`,
      ),
  },
  {
    flag: /^--no-(?:experimental-)?strip-types\b/,
    finding: (flag) =>
      warn(
        `${flag} keeps Node.js from loading TypeScript. Remove it, or give the pool compiled job modules.`,
      ),
  },
  {
    flag: /^--jitless\b/,
    finding: (flag) =>
      warn(`${flag} also takes WebAssembly away, and makes jobs many times slower. Remove it.`),
  },
];

/** @param flags Those of the process and of NODE_OPTIONS. */
export function flagFindings(flags: readonly string[] = nodeFlags()): Finding[] {
  const findings = flags.flatMap((flag) =>
    traps.filter((trap) => trap.flag.test(flag)).map((trap) => trap.finding(flag)),
  );
  if (flags.includes("--permission") && !flags.includes("--allow-worker"))
    findings.push(bad("--permission forbids threads. Add --allow-worker."));
  if (findings.length > 0) return findings;
  return [ok(flags.length === 0 ? "Node.js has no flags." : `No trap in the flags ${flags.join(" ")}.`)];
}

/** Without those of Yarn PnP, which every thread needs. */
function nodeFlags(): string[] {
  const options = (process.env["NODE_OPTIONS"] ?? "").replaceAll(/--?[\w-]+[ =]\S*\.pnp\.\S+/g, "");
  return [...process.execArgv, ...options.split(/\s+/).filter((flag) => flag !== "")];
}

/** Starts a thread and runs a job on it. */
export async function threadFinding(): Promise<Finding> {
  const pool = new ThreadPool({ maxThreads: 1 });
  try {
    await pool.run(() => 1);
    return ok("A thread started and ran a job.");
  } catch (error) {
    return bad(`No thread can run a job: ${messagesOf(error)}. Correct that first.`);
  } finally {
    await pool.close();
  }
}

/** With those of its causes. */
function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${messagesOf(error.cause)})`;
}

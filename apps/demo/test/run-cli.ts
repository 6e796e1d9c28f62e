// oxlint-disable typescript/no-unsafe-type-assertion -- events have no static type
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  /** Without the lines of progress that a slow machine gets to see. */
  readonly stderr: string;
}

const PROGRESS = /^census: .*\d+\/\d+ files .*\n/gm;

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Runs the built `census`. @param whileRunning may send signals. */
export async function runCli(
  args: readonly string[],
  whileRunning: (child: ChildProcess) => Promise<void> = async () => {},
  env: NodeJS.ProcessEnv = {},
): Promise<CliResult> {
  const { FORCE_COLOR: _, ...plain } = process.env;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    env: { ...plain, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    await whileRunning(child);
  } catch (error) {
    // A server would go on for ever.
    child.kill("SIGKILL");
    throw error;
  }
  const [code] = (await closed) as [number | null];
  const [stdout, stderr] = await output;
  return { code, stdout, stderr: stderr.replace(PROGRESS, "") };
}

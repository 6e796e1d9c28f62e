/** Runs a script of fixtures/ in a process of its own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runScript(name: string, ...args: readonly string[]): Promise<Ended> {
  return run('exec "$@"', name, args);
}

/** In a process that may have so much address space. */
export function runScriptWithin(kibibytes: number, name: string): Promise<Ended> {
  return run(`ulimit -v ${kibibytes}; exec "$@"`, name, []);
}

/** @param shell A shell line with the command as "$@". */
function run(shell: string, name: string, args: readonly string[]): Promise<Ended> {
  const script = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  const command = [process.execPath, "--conditions=@skein/source", script, ...args];
  const child = spawn("sh", ["-c", shell, "sh", ...command], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

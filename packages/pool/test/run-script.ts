/**
 * Runs a script of fixtures/ in a process of its own. Its output goes to files: what a process has written to a pipe whose reader is slow
 * is lost when it calls `process.exit()`.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runScript(name: string, ...args: readonly string[]): Promise<Ended> {
  return run('exec "$@"', name, args);
}

/** In a process that may have so much address space. What it has already compiled would change how much of it is left. */
export function runScriptWithin(kibibytes: number, name: string): Promise<Ended> {
  return run(`export NODE_DISABLE_COMPILE_CACHE=1; ulimit -v ${kibibytes}; exec "$@"`, name, []);
}

/**
 * In a process whose allocator gives what is freed back at once. By default glibc keeps freed blocks below 32 MiB in its arenas, once a
 * larger one was freed: up to 64 MiB for each thread, for as long as anything on top of them lives.
 */
export function runScriptThatFrees(name: string): Promise<Ended> {
  return run('export MALLOC_MMAP_THRESHOLD_=131072; exec "$@"', name, []);
}

/** @param shell A shell line with the command as "$@". */
function run(shell: string, name: string, args: readonly string[]): Promise<Ended> {
  const script = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  const command = [process.execPath, script, ...args];
  const folder = mkdtempSync(join(tmpdir(), "skein-script-"));
  const files = [join(folder, "stdout"), join(folder, "stderr")] as const;
  const [out, err] = [openSync(files[0], "w"), openSync(files[1], "w")];
  const child = spawn("sh", ["-c", shell, "sh", ...command], { stdio: ["ignore", out, err] });
  closeSync(out);
  closeSync(err);
  return new Promise((resolve) =>
    child.on("close", (code) => {
      const [stdout, stderr] = [readFileSync(files[0], "utf8"), readFileSync(files[1], "utf8")];
      rmSync(folder, { recursive: true });
      resolve({ code, stdout, stderr });
    }),
  );
}

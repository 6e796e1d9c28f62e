/** Programs in processes of their own, with a limit, and with the built packages. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { timeLimit } from "./time-limit.ts";

export interface Ended {
  /** The exit code; null when it was ended, by the limit for one. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
  /** On an idle machine. */
  readonly limitMs?: number | undefined;
  readonly onOutput?: ((chunk: string) => void) | undefined;
}

/** Runs this Node without the flags of the test runner. It ends at the limit, if not before. */
export function runNode(options: ChildOptions): Promise<Ended> {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1" };
  for (const name of ["NODE_OPTIONS", "NODE_TEST_CONTEXT", "FORCE_COLOR", "VITEST"]) delete env[name];
  const child = spawn(process.execPath, [...options.args], {
    cwd: options.cwd,
    env: { ...env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    options.onOutput?.(chunk);
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  child.stdin.on("error", () => {}); // It may end without having read.
  child.stdin.end(options.input ?? "");
  const limit = setTimeout(() => child.kill("SIGKILL"), timeLimit(options.limitMs ?? 60_000));
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearTimeout(limit);
      resolve({ code, stdout, stderr });
    });
  });
}

const packages = fileURLToPath(new URL("../../packages", import.meta.url));

/**
 * Says so when a source file is newer than what was built from it; a build that comes from turbo's cache may be older and right.
 * @throws when a package is not built.
 */
export function requireBuild(): void {
  for (const name of readdirSync(packages)) {
    const source = join(packages, name, "src");
    if (!existsSync(source)) continue;
    const built = join(packages, name, "dist", ".tsbuildinfo");
    if (!existsSync(built))
      throw new Error(`packages/${name} is not built. Run \`pnpm build\`, as \`pnpm test\` does`);
    const files = readdirSync(source, { recursive: true, encoding: "utf8" });
    const newest = Math.max(...files.map((file) => statSync(join(source, file)).mtimeMs));
    if (statSync(built).mtimeMs < newest)
      console.warn(`packages/${name} has perhaps changed since it was built; this test runs what is built`);
  }
}

/** A module run in a fresh process, for what a used process would falsify: cold starts, memory, a server under load. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface ChildOptions {
  readonly args?: readonly string[];
  /** Flags for Node, before the module. */
  readonly flags?: readonly string[];
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
const STDERR_SHOWN = 2000;

/**
 * Runs the module and resolves to what its last line on standard output says, as JSON.
 * @throws Error when it exits with another code than 0, is silent, or takes too long; with the end of its standard error.
 */
export function runChild<T>(
  module: URL,
  { args = [], flags = [], timeoutMs = TIMEOUT_MS }: ChildOptions = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, fileURLToPath(module), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err = (err + text).slice(-STDERR_SHOWN)));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const last = out.trimEnd().split("\n").at(-1) ?? "";
      if (code === 0 && last !== "") {
        resolve(JSON.parse(last) as T);
        return;
      }
      reject(
        new Error(
          `${module.pathname.split("/").at(-1)} ended with ${signal ?? `code ${code}`}: ${err.trim() || "no output"}`,
        ),
      );
    });
  });
}

/** What a module run by `runChild` says at its end. Its threads and timers do not keep it alive after that. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`, () => process.exit(0));
}

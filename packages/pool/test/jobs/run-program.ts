/** Runs a program that the test has written, in a process of its own, over the built package. */
import { spawn } from "node:child_process";
import type { Ended } from "../run-script.ts";

/** What such a program imports. */
export const poolUrl: string = new URL("../../dist/index.js", import.meta.url).href;

export interface ProgramOptions {
  readonly flags?: readonly string[];
  readonly cwd?: string;
  readonly nodeOptions?: string;
}

/** @param rest The program, with its arguments; or `-e` and its text. */
export function runProgram(rest: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [...(options.flags ?? []), ...rest], {
    cwd: options.cwd,
    env: options.nodeOptions === undefined ? inherited : { ...inherited, NODE_OPTIONS: options.nodeOptions },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

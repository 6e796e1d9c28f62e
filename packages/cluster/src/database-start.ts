/** Starts the process of an embedded database, if there is none. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { addressOf, ownFolder, socketOf } from "./database-places.ts";
import { now } from "./timers.ts";

const { process } = globalThis;

const program = fileURLToPath(
  new URL(`./database-process${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

/** Between two starts: the first may have ended because another process was starting one. */
const PAUSE_MS = 1000;

export interface DatabaseStart {
  /** Where it listens, as far as is known now. */
  address(): string;
  /** It does not listen: starts it, unless it is starting. @returns why it has not started before, if so. */
  again(): Error | null;
}

export function startDatabase(path: string): DatabaseStart {
  const folder = ownFolder(path);
  const own = socketOf(folder);
  let child: ChildProcess | null = null;
  let startedAt = -Infinity;
  return {
    address: () => addressOf(folder),
    again() {
      if (child !== null && child.exitCode === null && child.signalCode === null) return null;
      if (now() - startedAt < PAUSE_MS) return null;
      startedAt = now();
      const failure = child === null || child.exitCode === 0 ? null : failureOf(folder, child);
      child = run(folder, own);
      return failure;
    },
  };
}

/** It outlives this process as long as others use it. */
function run(folder: string, address: string): ChildProcess {
  const log = openSync(logOf(folder), "a", 0o600);
  try {
    const child = spawn(process.execPath, [program, folder, address], {
      cwd: folder,
      detached: true,
      stdio: ["ignore", "ignore", log],
    });
    child.unref();
    child.on("error", () => {}); // It has no exit code then, and is started again.
    return child;
  } finally {
    closeSync(log);
  }
}

function logOf(folder: string): string {
  return join(folder, "database.log");
}

function failureOf(folder: string, { exitCode, signalCode }: ChildProcess): Error {
  let said = "";
  try {
    said = readFileSync(logOf(folder), "utf8").trim().slice(-2000);
  } catch {
    // What it is about stays unsaid.
  }
  return new Error(`The embedded database in ${folder} ended with ${signalCode ?? exitCode}. ${said}`);
}

/** `./geo.jobs.ts#area`: which function of which file is meant. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Job, type JobEngine, JobModuleError, JobNotFoundError } from "@skein/pool";
import { UsageError } from "./command-line.ts";

export interface JobReference {
  readonly url: URL;
  /** The name of the export. */
  readonly name: string;
}

type AnyJob = Job<unknown[], unknown>;

/**
 * @param text A path, relative to the working directory, or a file: URL; then `#` and the name of the export.
 * @throws UsageError
 */
export function parseJobReference(text: string | undefined): JobReference {
  if (text === undefined || text === "")
    throw new UsageError("name the job as <file>#<export>, as in ./geo.jobs.ts#area");
  const hash = text.lastIndexOf("#");
  if (hash <= 0 || hash === text.length - 1)
    throw new UsageError(
      `"${text}" must name a file and one of its exports; write <file>#<export>, as in ./geo.jobs.ts#area`,
    );
  const file = text.slice(0, hash);
  const path = pathOf(file);
  if (!existsSync(path))
    throw new UsageError(
      `there is no file ${path}; give the path of the job module, relative to this directory`,
    );
  if (!statSync(path).isFile()) throw new UsageError(`${path} is not a file; give the path of a job module`);
  return { url: pathToFileURL(path), name: text.slice(hash + 1) };
}

function pathOf(file: string): string {
  if (!/^[a-z][a-z\d+.-]+:/i.test(file)) return resolve(file);
  try {
    return fileURLToPath(file);
  } catch {
    throw new UsageError(`"${file}" is not a file; code is loaded from files only, so give a path`);
  }
}

/** @throws UsageError when the name cannot be that of a job. */
export function jobOf(engine: JobEngine, { url, name }: JobReference): AnyJob {
  const job = engine.module<Record<string, (...args: unknown[]) => unknown>>(url)[name];
  if (typeof job === "function") return job;
  throw new UsageError(`an export called "${name}" cannot be a job; export the function under another name`);
}

/** Whether the error is about the reference, and not about what the job did: no such export, a module that Node cannot load. */
export function isWrongReference(error: unknown, { url, name }: JobReference): error is Error {
  if (error instanceof JobNotFoundError) return error.url === url.href && error.exportName === name;
  return error instanceof JobModuleError && error.url === url.href;
}

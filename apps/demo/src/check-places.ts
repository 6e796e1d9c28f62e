/** Finds out before the scan, not after it, that the directory cannot be read or a result cannot be written. */
import { closeSync, openSync, readdirSync, statSync } from "node:fs";
import { UsageError } from "./command-line.ts";
import type { CensusOptions } from "./options.ts";
import { describeFileError } from "./wording.ts";

/** @throws UsageError that names the path. */
export function checkPlaces({
  directory,
  json,
  html,
  log,
  db,
  trace,
}: Pick<CensusOptions, "directory" | "json" | "html" | "log" | "db" | "trace">): void {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(directory).isDirectory();
    if (isDirectory) readdirSync(directory);
  } catch (error) {
    throw new UsageError(`cannot read ${directory}: ${describeFileError(error)}`);
  }
  if (!isDirectory) throw new UsageError(`${directory} is not a directory`);
  for (const file of [json, html, log, db, trace]) {
    if (file === null || (file === "-" && file === json)) continue;
    try {
      closeSync(openSync(file, "a"));
    } catch (error) {
      throw new UsageError(`cannot write ${file}: ${describeFileError(error)}`);
    }
  }
}

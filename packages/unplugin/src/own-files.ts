/** The files that a module needs next to the bundle: job modules, and the first module of pool threads. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { SkeinError } from "@skein/context/errors";

/** A property of `import.meta` in @skein/pool (thread-entry.ts): an expression for the entry's URL takes its place. */
export const THREAD_ENTRY = "skeinThreadEntry";

/**
 * The job module that `importer` names by a relative URL. A program that writes ".js" as tsc wants it may have only the .ts file.
 * @throws SkeinError when there is no such file.
 */
export function jobModuleAt(specifier: string, importer: string): string {
  const path = resolve(dirname(importer), specifier);
  const source = path.replace(/\.([cm]?)js(x?)$/, ".$1ts$2");
  const found = [path, source].find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new SkeinError(
    "ERR_SKEIN_JOB_MODULE",
    `${importer} names the job module ${specifier}, but there is no file ${path}. Correct the URL, or set \`include\` if it is no job module`,
  );
}

/** @throws SkeinError when `importer`, which is expected to be the pool, has no entry beside it. */
export function threadEntryOf(importer: string): string {
  const file = join(dirname(importer), "worker", `entry${extname(importer)}`);
  if (existsSync(file)) return file;
  throw new SkeinError(
    "ERR_SKEIN_THREAD_ENTRY",
    `There is no ${file}, the first module of pool threads. Let the bundler read @skein/pool from its own folder`,
  );
}

/** What the file is called in the bundle, without an extension. */
export function nameOf(path: string): string {
  const name = basename(path, extname(path));
  return name === "entry" ? "skein-thread" : name;
}

/** As one step of a URL, in letters that no bundler escapes in a string. */
export function inUrl(name: string): string {
  return encodeURIComponent(name).replaceAll("'", "%27");
}

/** The same on every machine, and for no two files of a program: for bundlers that want to be told. */
export function uniqueNameOf(path: string, root: string): string {
  const place = relative(root, path).replaceAll("\\", "/");
  const hash = createHash("sha256").update(place).digest("hex").slice(0, 8);
  return `${nameOf(path)}-${hash}`;
}

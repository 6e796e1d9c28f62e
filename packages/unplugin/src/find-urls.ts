/** Finds, in the text of a module, the URLs that have to point into the bundle. Comments and strings do not count. */
import { stripLiteral } from "strip-literal";
import type { JobModuleTest } from "./options.ts";
import { jobModuleAt, THREAD_ENTRY, threadEntryOf } from "./own-files.ts";

/** An expression whose value is a URL of a file. */
export interface FoundUrl {
  readonly start: number;
  readonly end: number;
  readonly path: string;
}

const jobUrl = /\bnew\s+URL\s*\(\s*(["'`])[^"'`]*\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;
const entryUrl = new RegExp(`\\bimport\\.meta\\.${THREAD_ENTRY}\\b`, "g");
const firstLiteral = /(["'`])(.*?)\1/s;
const relativePath = /^\.{1,2}\/[^\\?#]*$/;

/** Quick, and true for a few too many. */
export const mayHaveUrls: RegExp = new RegExp(
  `new\\s+URL\\s*\\([^)]*import\\.meta\\.url|import\\.meta\\.${THREAD_ENTRY}`,
);

/** @throws SkeinError when a file that is named does not exist. */
export function findUrls(code: string, importer: string, isJobModule: JobModuleTest): FoundUrl[] {
  if (!mayHaveUrls.test(code)) return [];
  const stripped = stripLiteral(code);
  const found: FoundUrl[] = [];
  for (const { index, 0: text } of stripped.matchAll(jobUrl)) {
    const [, quote, specifier] = firstLiteral.exec(code.slice(index, index + text.length))!;
    const path = jobModuleNamed(specifier!, importer, isJobModule, quote === "`");
    if (path !== null) found.push({ start: index, end: index + text.length, path });
  }
  for (const { index, 0: text } of stripped.matchAll(entryUrl))
    found.push({ start: index, end: index + text.length, path: threadEntryOf(importer) });
  return found;
}

/** Null: it is no job module, or not known before the program runs. */
export function jobModuleNamed(
  specifier: string,
  importer: string,
  isJobModule: JobModuleTest,
  isTemplate = false,
): string | null {
  if (!relativePath.test(specifier) || (isTemplate && specifier.includes("${"))) return null;
  const named = decodeURI(new URL(specifier, "file:///").pathname);
  return isJobModule(named) ? jobModuleAt(decodeURI(specifier), importer) : null;
}

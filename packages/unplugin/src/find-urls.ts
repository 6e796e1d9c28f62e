/** Finds, in the text of a module, the URLs that have to point into the bundle. Comments and strings do not count. */
import { codeAlone } from "./code-alone.ts";
import type { JobModuleTest } from "./options.ts";
import { jobModuleAt, THREAD_ENTRY, threadEntryOf } from "./own-files.ts";

/** An expression whose value is a URL of a file. */
export interface FoundUrl {
  readonly start: number;
  readonly end: number;
  readonly path: string;
}

const jobUrl = /\bnew\s+URL\s*\(\s*((["'`])[^"'`]*\2)\s*,\s*import\.meta\.url\s*,?\s*\)/dg;
const entryUrl = new RegExp(`\\bimport\\.meta\\.${THREAD_ENTRY}\\b`, "g");
const jsxFile = /\.[jt]sx$/;
const relativePath = /^\.{1,2}\/[^\\?#]*$/;

/** Quick, and true for a few too many. */
export const mayHaveUrls: RegExp = new RegExp(
  `new\\s+URL\\b[\\s\\S]*?import\\.meta\\.url|import\\.meta\\.${THREAD_ENTRY}`,
);

/** @throws SkeinError when a file that is named does not exist. */
export function findUrls(code: string, importer: string, isJobModule: JobModuleTest): FoundUrl[] {
  if (!mayHaveUrls.test(code)) return [];
  const alone = codeAlone(code, jsxFile.test(importer));
  const found: FoundUrl[] = [];
  for (const { index, 0: text, indices } of alone.matchAll(jobUrl)) {
    const [from, to] = indices![1]!;
    const path = jobModuleNamed(code.slice(from + 1, to - 1), importer, isJobModule);
    if (path !== null) found.push({ start: index, end: index + text.length, path });
  }
  for (const { index, 0: text } of alone.matchAll(entryUrl))
    found.push({ start: index, end: index + text.length, path: threadEntryOf(importer) });
  return found;
}

/** Null: it is no job module, or not known before the program runs. */
export function jobModuleNamed(
  specifier: string,
  importer: string,
  isJobModule: JobModuleTest,
): string | null {
  if (!relativePath.test(specifier)) return null;
  const named = decodeURIComponent(new URL(specifier, "file:///").pathname);
  return isJobModule(named) ? jobModuleAt(decodeURIComponent(specifier), importer) : null;
}

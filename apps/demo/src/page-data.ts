/** What the page knows, in the shape in which it is embedded. */
import type { Census, FileProblems, LocatedFunction, PackageCensus, Totals } from "./census.ts";
import type { DuplicateGroup } from "./duplicates.ts";
import type { RunInfo } from "./json.ts";
import type { Notice } from "./walk.ts";
import { formatEngine } from "./wording.ts";

export interface PageData {
  readonly complete: boolean;
  readonly run: RunInfo & { readonly digest: string; readonly engine: string };
  readonly totals: Totals;
  readonly packages: readonly PackageCensus[];
  readonly longest: readonly LocatedFunction[];
  readonly mostComplex: readonly LocatedFunction[];
  readonly duplicates: readonly DuplicateGroup[];
  readonly syntaxErrors: readonly FileProblems[];
  readonly notices: readonly Notice[];
  /** Path, index of package, lines, functions, complexity, syntax errors, repeated lines: thousands of these. */
  readonly files: readonly (readonly [string, number, number, number, number, number, number])[];
}

export function pageData(census: Census, run: RunInfo, digest: string): PageData {
  const { complete, totals, packages, longest, mostComplex, duplicates, syntaxErrors, notices, files } =
    census;
  return {
    complete,
    run: { ...run, digest, engine: formatEngine(run.threads, run.policy) },
    totals,
    packages,
    longest,
    mostComplex,
    duplicates,
    syntaxErrors,
    notices,
    files: files.map((file) => [
      file.path,
      file.package,
      file.lines,
      file.functions,
      file.complexity,
      file.syntaxErrors,
      file.repeatedLines,
    ]),
  };
}

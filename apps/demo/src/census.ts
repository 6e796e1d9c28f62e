/**
 * The result of a scan, made from the reports of its files.
 *
 * A function of the tree and the reports by index: the order in which they arrived leaves no trace. Everything is sorted, ties
 * are broken by path and line.
 */
import { join } from "node:path";
import { findDuplicates, fingerprintWords } from "./duplicates.ts";
import type { DuplicateGroup } from "./duplicates.ts";
import type {
  AnalysisOptions,
  FileReport,
  FunctionRecord,
  ParsedFile,
  SyntaxProblem,
} from "./file-report.ts";
import { PackageFinder } from "./package-of.ts";
import { byPath } from "./walk.ts";
import type { Notice, SourceFile, Tree } from "./walk.ts";

export interface LocatedFunction extends FunctionRecord {
  readonly path: string;
}

export interface Sums {
  files: number;
  bytes: number;
  lines: number;
  functions: number;
  /** The sum over all functions. */
  complexity: number;
  syntaxErrors: number;
  repeatedLines: number;
}

export interface PackageCensus extends Sums {
  name: string;
  version: string | null;
  /** In how many places this version is installed. */
  installations: number;
  longest: LocatedFunction[];
  mostComplex: LocatedFunction[];
}

export interface Totals extends Sums {
  packages: number;
  directories: number;
  /** Parsed, with errors or without. */
  parsed: number;
  skipped: number;
  unreadable: number;
  /** Not reached, because the scan was cancelled. */
  pending: number;
  filesWithErrors: number;
  duplicateGroups: number;
  repeatedFunctions: number;
}

export interface FileCensus {
  readonly path: string;
  /** Index in `packages`. */
  readonly package: number;
  readonly lines: number;
  readonly functions: number;
  readonly complexity: number;
  readonly syntaxErrors: number;
  readonly repeatedLines: number;
}

export interface FileProblems {
  readonly path: string;
  readonly count: number;
  readonly problems: readonly SyntaxProblem[];
}

export interface Census {
  readonly complete: boolean;
  readonly settings: { readonly maxFileBytes: number; readonly minNodes: number };
  readonly totals: Totals;
  readonly links: Tree["links"];
  readonly packages: PackageCensus[];
  readonly longest: LocatedFunction[];
  readonly mostComplex: LocatedFunction[];
  readonly duplicates: DuplicateGroup[];
  readonly syntaxErrors: FileProblems[];
  readonly notices: Notice[];
  readonly files: FileCensus[];
}

const TOP_OF_PACKAGE = 3;
const DUPLICATES_LISTED = 100;

/** The fingerprints of all functions that are compared, for the search for repeated code. */
export function wordsOf(reports: readonly (FileReport | undefined)[]): Uint32Array {
  return fingerprintWords(reports.map((report) => (report?.kind === "parsed" ? report.bodies : null)));
}

/**
 * @param reports by index of `tree.files`; undefined where the scan did not get to.
 * @param repeats what `markRepeats` found among the `wordsOf` the reports.
 */
export function takeCensus(
  tree: Tree,
  reports: readonly (FileReport | undefined)[],
  options: Pick<AnalysisOptions, "maxFileBytes" | "minNodes" | "top">,
  repeats: Uint8Array,
): Census {
  const parsed: { file: SourceFile; report: ParsedFile }[] = [];
  const notices: Notice[] = [...tree.notices];
  const omitted = { skipped: 0, unreadable: 0, pending: 0 };
  for (const [index, file] of tree.files.entries()) {
    const report = reports[index];
    if (report === undefined) {
      omitted.pending++;
    } else if (report.kind === "parsed") {
      parsed.push({ file, report });
    } else {
      omitted[report.kind]++;
      notices.push({ path: file.path, message: report.message });
    }
  }
  const duplicates = findDuplicates(
    parsed.map(({ file, report }) => ({ path: file.path, bodies: report.bodies })),
    DUPLICATES_LISTED,
    repeats,
  );

  const ledger = new Ledger(tree.root);
  const functions: LocatedFunction[] = [];
  const syntaxErrors: FileProblems[] = [];
  const owners: PackageCensus[] = [];
  for (const [index, { file, report }] of parsed.entries()) {
    const located = report.notable.map((record) => ({ ...record, path: file.path }));
    owners.push(ledger.add(file.path, report, located, duplicates.repeatedLinesOfFile[index]!));
    functions.push(...located);
    if (report.problemCount > 0) {
      syntaxErrors.push({ path: file.path, count: report.problemCount, problems: report.problems });
    }
  }
  const packages = ledger.packages();
  const positions = new Map(packages.map((owner, index) => [owner, index]));
  return {
    complete: tree.complete && omitted.pending === 0,
    settings: { maxFileBytes: options.maxFileBytes, minNodes: options.minNodes },
    totals: {
      packages: packages.length,
      directories: tree.directories,
      parsed: parsed.length,
      ...omitted,
      ...sumOf(packages),
      files: tree.files.length,
      filesWithErrors: syntaxErrors.length,
      duplicateGroups: duplicates.groups,
      repeatedFunctions: duplicates.repeatedFunctions,
    },
    links: tree.links,
    packages,
    longest: longestOf(functions, options.top),
    mostComplex: mostComplexOf(functions, options.top),
    duplicates: duplicates.largest,
    syntaxErrors,
    notices: notices.toSorted(byPath),
    files: parsed.map(({ file, report }, index) => ({
      path: file.path,
      package: positions.get(owners[index]!)!,
      lines: report.lines,
      functions: report.functions,
      complexity: report.complexity,
      syntaxErrors: report.problemCount,
      repeatedLines: duplicates.repeatedLinesOfFile[index]!,
    })),
  };
}

/** Adds files up by package. One version of a package is one entry, wherever and however often it is installed. */
class Ledger {
  readonly #root: string;
  readonly #finder = new PackageFinder();
  readonly #entries = new Map<string, { sums: PackageCensus; directories: Set<string> }>();

  constructor(root: string) {
    this.#root = root;
  }

  add(path: string, report: ParsedFile, functions: LocatedFunction[], repeatedLines: number): PackageCensus {
    const { name, version, directory } = this.#finder.packageOf(join(this.#root, path));
    const key = `${name}@${version}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const sums = { name, version, installations: 0, ...sumOf([]), longest: [], mostComplex: [] };
      entry = { sums, directories: new Set() };
      this.#entries.set(key, entry);
    }
    const { sums, directories } = entry;
    sums.installations = directories.add(directory).size;
    sums.files++;
    sums.bytes += report.bytes;
    sums.lines += report.lines;
    sums.functions += report.functions;
    sums.complexity += report.complexity;
    sums.syntaxErrors += report.problemCount;
    sums.repeatedLines += repeatedLines;
    sums.longest = longestOf([...sums.longest, ...functions], TOP_OF_PACKAGE);
    sums.mostComplex = mostComplexOf([...sums.mostComplex, ...functions], TOP_OF_PACKAGE);
    return sums;
  }

  packages(): PackageCensus[] {
    return [...this.#entries]
      .toSorted(
        ([a, { sums: first }], [b, { sums: second }]) => second.lines - first.lines || (a < b ? -1 : 1),
      )
      .map(([, { sums }]) => sums);
  }
}

const SUMMED = [
  "files",
  "bytes",
  "lines",
  "functions",
  "complexity",
  "syntaxErrors",
  "repeatedLines",
] as const satisfies readonly (keyof Sums)[];

function sumOf(parts: readonly Sums[]): Sums {
  const sums: Sums = {
    files: 0,
    bytes: 0,
    lines: 0,
    functions: 0,
    complexity: 0,
    syntaxErrors: 0,
    repeatedLines: 0,
  };
  for (const part of parts) {
    for (const key of SUMMED) sums[key] += part[key];
  }
  return sums;
}

function longestOf(functions: readonly LocatedFunction[], count: number): LocatedFunction[] {
  return functions.toSorted((a, b) => b.lines - a.lines || inOrder(a, b)).slice(0, count);
}

function mostComplexOf(functions: readonly LocatedFunction[], count: number): LocatedFunction[] {
  return functions.toSorted((a, b) => b.complexity - a.complexity || inOrder(a, b)).slice(0, count);
}

function inOrder(a: LocatedFunction, b: LocatedFunction): number {
  return byPath(a, b) || a.line - b.line;
}

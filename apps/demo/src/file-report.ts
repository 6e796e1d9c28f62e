/**
 * What crosses from a worker to the main thread for one file: plain values, and few of them.
 * Paths are left out: the main thread knows which file it asked for.
 */

import type { ProducerHandle } from "@skein/batching";

export interface FunctionRecord {
  readonly name: string;
  /** 1-based. */
  readonly line: number;
  readonly lines: number;
  readonly complexity: number;
}

export interface SyntaxProblem {
  readonly line: number;
  /** 0-based, as the parser counts. */
  readonly column: number;
  readonly message: string;
}

/**
 * The functions that are large enough to be compared, as columns: an array of records would repeat its keys in every message.
 * Function `i` has the fingerprint `hashes.slice(16 * i, 16 * i + 16)` and the four numbers at `marks[4 * i]`:
 * line, lines, nodes, and the index of the nearest enclosing function in this same list, or -1.
 */
export interface Bodies {
  readonly hashes: string;
  readonly marks: number[];
  readonly names: string[];
}

export const HASH_LENGTH = 16;
export const MARKS_PER_BODY = 4;

export interface ParsedFile {
  readonly kind: "parsed";
  readonly bytes: number;
  readonly lines: number;
  readonly functions: number;
  /** The sum over all functions of the file. */
  readonly complexity: number;
  /** The longest and the most complex functions, each function once, in source order. */
  readonly notable: FunctionRecord[];
  readonly bodies: Bodies;
  readonly problemCount: number;
  /** The first few of `problemCount`. */
  readonly problems: SyntaxProblem[];
}

/** A file that was left out, and the sentence to show for it. */
export interface OmittedFile {
  readonly kind: "skipped" | "unreadable";
  readonly bytes: number;
  readonly message: string;
}

/** The parser ran out of stack. Not an answer yet: the file goes to the thread with the large stack. */
export interface DeepFile {
  readonly kind: "deep";
}

export type FileReport = ParsedFile | OmittedFile;

/** What a census counts unless it is told otherwise. Others would give it another digest. */
export const DEFAULT_ANALYSIS: Pick<AnalysisOptions, "maxFileBytes" | "minNodes" | "top"> = {
  maxFileBytes: 2_000_000,
  minNodes: 40,
  top: 25,
};

/** What a job needs to know besides the path. Correlation ids are not here: they come from AsyncLocals. */
export interface AnalysisOptions {
  readonly maxFileBytes: number;
  /** Functions with fewer syntax nodes are not compared. */
  readonly minNodes: number;
  /** How many of the longest, and how many of the most complex functions a file reports. */
  readonly top: number;
  /** Lines of this file's analysis are appended here; null: no log. */
  readonly logFile: string | null;
  /** A line for every file, not only for those with something to say. */
  readonly verbose: boolean;
  /** Where rows for the database go, by table; without it nothing is stored. */
  readonly rows?: readonly ProducerHandle[];
  /** Ends the thread that gets this file first, and is 1 from then on. For `--chaos`. */
  readonly lethal?: Int32Array;
}

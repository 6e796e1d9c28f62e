/**
 * Functions that occur more than once, in the whole tree, by fingerprint.
 *
 * When a function is repeated, so is every function inside it. Those inner repetitions are left out, unless one of them also
 * occurs somewhere by itself: what is reported is the outermost code that one could keep a single copy of.
 */
import { HASH_LENGTH, MARKS_PER_BODY } from "./file-report.ts";
import type { Bodies } from "./file-report.ts";

export interface Place {
  readonly path: string;
  readonly line: number;
  readonly lines: number;
  readonly name: string;
}

export interface DuplicateGroup {
  readonly fingerprint: string;
  /** Syntax nodes of the function. */
  readonly nodes: number;
  /** How often it occurs; at least 2. */
  readonly copies: number;
  /** The lines that would go if all but one copy went. */
  readonly repeatedLines: number;
  /** The first few of `copies`, by path and line. */
  readonly places: Place[];
}

export interface Duplicates {
  readonly groups: number;
  readonly repeatedFunctions: number;
  readonly repeatedLines: number;
  /** The groups with the most repeated lines. */
  readonly largest: DuplicateGroup[];
  /** By index of file: how many of its lines are repetitions of code in an earlier file, or earlier in this one. */
  readonly repeatedLinesOfFile: number[];
}

const PLACES_SHOWN = 8;

interface Occurrence extends Place {
  readonly file: number;
  readonly nodes: number;
  readonly insideAnother: boolean;
}

/** @param files in the order in which a first occurrence counts as the original. Null for a file without functions. */
export function findDuplicates(
  files: readonly { readonly path: string; readonly bodies: Bodies | null }[],
  largest: number,
): Duplicates {
  const found: DuplicateGroup[] = [];
  const repeatedLinesOfFile: number[] = files.map(() => 0);
  let repeatedFunctions = 0;
  for (const [fingerprint, occurrences] of occurrencesOf(files)) {
    const outermost = occurrences.filter(({ insideAnother }) => !insideAnother);
    if (outermost.length === 0) continue;
    // If one occurrence lies inside a larger repetition, that is where the original is.
    const repeated = outermost.length === occurrences.length ? outermost.slice(1) : outermost;
    for (const { file, lines } of repeated) repeatedLinesOfFile[file]! += lines;
    repeatedFunctions += repeated.length;
    found.push({
      fingerprint,
      nodes: occurrences[0]!.nodes,
      copies: occurrences.length,
      repeatedLines: repeated.reduce((sum, { lines }) => sum + lines, 0),
      places: occurrences
        .slice(0, PLACES_SHOWN)
        .map(({ path, line, lines, name }) => ({ path, line, lines, name })),
    });
  }
  found.sort(
    (a, b) =>
      b.repeatedLines - a.repeatedLines || b.nodes - a.nodes || (a.fingerprint < b.fingerprint ? -1 : 1),
  );
  return {
    groups: found.length,
    repeatedFunctions,
    repeatedLines: repeatedLinesOfFile.reduce((sum, lines) => sum + lines, 0),
    largest: found.slice(0, largest),
    repeatedLinesOfFile,
  };
}

/** Only fingerprints that occur more than once: the others, nearly all, are never made into objects. */
function occurrencesOf(
  files: readonly { readonly path: string; readonly bodies: Bodies | null }[],
): Map<string, Occurrence[]> {
  const counts = new Map<string, number>();
  for (const { bodies } of files) {
    for (const hash of hashesOf(bodies)) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  }
  const occurrences = new Map<string, Occurrence[]>();
  for (const [file, { path, bodies }] of files.entries()) {
    const hashes = [...hashesOf(bodies)];
    for (const [index, hash] of hashes.entries()) {
      if (counts.get(hash) === 1) continue;
      const first = index * MARKS_PER_BODY;
      const [line = 0, lines = 0, nodes = 0, parent = -1] = bodies!.marks.slice(
        first,
        first + MARKS_PER_BODY,
      );
      const enclosing = hashes[parent];
      const occurrence: Occurrence = {
        file,
        path,
        line,
        lines,
        name: bodies!.names[index]!,
        nodes,
        insideAnother: enclosing !== undefined && counts.get(enclosing)! > 1,
      };
      const group = occurrences.get(hash);
      if (group === undefined) occurrences.set(hash, [occurrence]);
      else group.push(occurrence);
    }
  }
  return occurrences;
}

function* hashesOf(bodies: Bodies | null): Iterable<string> {
  const hashes = bodies?.hashes ?? "";
  for (let start = 0; start < hashes.length; start += HASH_LENGTH)
    yield hashes.slice(start, start + HASH_LENGTH);
}

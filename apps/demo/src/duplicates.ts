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
const WORDS_PER_HASH = 2;

interface Occurrence extends Place {
  readonly file: number;
  readonly nodes: number;
  readonly insideAnother: boolean;
}

/** The fingerprints of all files, two words each, in memory that threads share. */
export function fingerprintWords(files: readonly (Bodies | null)[]): Uint32Array {
  const count = files.reduce((sum, bodies) => sum + (bodies?.names.length ?? 0), 0);
  const words = new Uint32Array(
    new SharedArrayBuffer(count * WORDS_PER_HASH * Uint32Array.BYTES_PER_ELEMENT),
  );
  let at = 0;
  for (const bodies of files) {
    for (const hash of hashesOf(bodies)) {
      words[at++] = Number.parseInt(hash.slice(0, HASH_LENGTH / 2), 16);
      words[at++] = Number.parseInt(hash.slice(HASH_LENGTH / 2), 16);
    }
  }
  return words;
}

/** As many marks as there are fingerprints, all 0, in memory that threads share. For `markRepeats`. */
export function marksFor(words: Uint32Array): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(words.length / WORDS_PER_HASH));
}

/**
 * @param files in the order in which a first occurrence counts as the original. Null for a file without functions.
 * @param repeats which of their functions occur more than once: 1, in the order of the files.
 */
export function findDuplicates(
  files: readonly { readonly path: string; readonly bodies: Bodies | null }[],
  largest: number,
  repeats: Uint8Array,
): Duplicates {
  const found: DuplicateGroup[] = [];
  const repeatedLinesOfFile: number[] = files.map(() => 0);
  let repeatedFunctions = 0;
  for (const [fingerprint, occurrences] of occurrencesOf(files, repeats)) {
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
  repeats: Uint8Array,
): Map<string, Occurrence[]> {
  let before = 0;
  const occurrences = new Map<string, Occurrence[]>();
  for (const [file, { path, bodies }] of files.entries()) {
    const hashes = [...hashesOf(bodies)];
    for (const [index, hash] of hashes.entries()) {
      if (repeats[before + index] === 0) continue;
      const first = index * MARKS_PER_BODY;
      const [line = 0, lines = 0, nodes = 0, parent = -1] = bodies!.marks.slice(
        first,
        first + MARKS_PER_BODY,
      );
      const occurrence: Occurrence = {
        file,
        path,
        line,
        lines,
        name: bodies!.names[index]!,
        nodes,
        insideAnother: parent >= 0 && repeats[before + parent] === 1,
      };
      const group = occurrences.get(hash);
      if (group === undefined) occurrences.set(hash, [occurrence]);
      else group.push(occurrence);
    }
    before += hashes.length;
  }
  return occurrences;
}

function* hashesOf(bodies: Bodies | null): Iterable<string> {
  const hashes = bodies?.hashes ?? "";
  for (let start = 0; start < hashes.length; start += HASH_LENGTH)
    yield hashes.slice(start, start + HASH_LENGTH);
}

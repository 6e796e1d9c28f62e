/** A beginning that is shared says as much as few letters that differ: `retry` and `retries`. */
const SHARED_BEGINNING = 4;
/** Of the letters, at most so many may differ. */
const MOST_DIFFERENCE = 0.4;

/**
 * The candidate that somebody who wrote `name` most likely meant; undefined if none is near. It shares a word or its beginning with
 * `name`, or differs by at most two letters in five. Upper and lower case count as the same.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.slice(0, 64);
  let nearest: string | undefined;
  let least = MOST_DIFFERENCE;
  for (const candidate of candidates) {
    const difference = differenceOf(wanted, candidate.slice(0, 64));
    if (difference > least || (difference === least && nearest !== undefined)) continue;
    nearest = candidate;
    least = difference;
  }
  return nearest;
}

/** As a share of the longer name. */
function differenceOf(wanted: string, other: string): number {
  const a = wanted.toLowerCase();
  const b = other.toLowerCase();
  const difference = editDistance(a, b) / Math.max(a.length, b.length, 1);
  const beginning = a.slice(0, SHARED_BEGINNING);
  const beginsAlike = beginning.length === SHARED_BEGINNING && b.startsWith(beginning);
  const isAkin = beginsAlike || hasWord(wanted, other) || hasWord(other, wanted);
  return isAkin ? Math.min(difference, MOST_DIFFERENCE) : difference;
}

/** As `abortSignal` has `signal`. */
function hasWord(name: string, word: string): boolean {
  return word !== "" && name.includes(word.slice(0, 1).toUpperCase() + word.slice(1));
}

/** How many letters must be inserted, removed, replaced or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let least = Math.min(
        previous[column]! + 1,
        line[column - 1]! + 1,
        previous[column - 1]! + (isSame ? 0 : 1),
      );
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) least = Math.min(least, beforePrevious[column - 2]! + 1);
      line.push(least);
    }
    beforePrevious = previous;
    previous = line;
  }
  return previous[b.length]!;
}

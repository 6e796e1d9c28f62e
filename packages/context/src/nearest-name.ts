/**
 * The candidate that somebody who wrote `name` most likely meant; undefined if none is near. Upper and lower case count
 * as the same; at most two in five letters may differ.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let leastShare = 0.4;
  for (const candidate of candidates) {
    const share =
      editDistance(name.toLowerCase(), candidate.toLowerCase()) / Math.max(name.length, candidate.length, 1);
    if (share > leastShare || (share === leastShare && nearest !== undefined)) continue;
    nearest = candidate;
    leastShare = share;
  }
  return nearest;
}

/** How many letters must be inserted, removed, replaced or swapped with their neighbour. Looks at 64 letters. */
function editDistance(from: string, to: string): number {
  const a = from.slice(0, 64);
  const b = to.slice(0, 64);
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

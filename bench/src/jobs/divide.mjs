/** Work that can be divided: merge sort and n queens, as plain functions. Both divisions, ours and by hand, end here. */

/** Below this many numbers, the built-in sort. */
export const SMALL = 4096;

export function sortAlone(data, scratch, from, to) {
  if (to - from <= SMALL) {
    data.subarray(from, to).sort();
    return;
  }
  const middle = (from + to) >>> 1;
  sortAlone(data, scratch, from, middle);
  sortAlone(data, scratch, middle, to);
  merge(data, scratch, from, middle, to);
}

export function merge(data, scratch, from, middle, to) {
  let left = from;
  let right = middle;
  for (let at = from; at < to; at++) {
    scratch[at] = right >= to || (left < middle && data[left] <= data[right]) ? data[left++] : data[right++];
  }
  data.set(scratch.subarray(from, to), from);
}

/** Solutions below a board on which the first rows are taken: masks of columns and both diagonals. */
export function queensBelow(all, columns, left, right) {
  if (columns === all) return 1;
  let count = 0;
  for (let free = all & ~(columns | left | right); free !== 0; free &= free - 1) {
    const place = free & -free;
    count += queensBelow(all, columns | place, ((left | place) << 1) & all, (right | place) >> 1);
  }
  return count;
}

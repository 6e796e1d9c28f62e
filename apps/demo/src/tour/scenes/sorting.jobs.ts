// oxlint-disable unicorn/no-array-sort -- in place is the point
/** Quicksort over memory that all threads share. */
import { fork } from "@skein/pool/worker";

const ALONE = 2000;

// tour: begin
export function sort(data: Float64Array, from: number, to: number): void {
  if (to - from <= ALONE) return void data.subarray(from, to).sort();
  const middle = partition(data, from, to);
  const right = fork(sort, data, middle, to); // whoever has no work takes it
  sort(data, from, middle);
  right.join(); // or this thread does
}
// tour: end

/** Hoare's: nothing before the returned index is larger than anything behind it. */
function partition(data: Float64Array, from: number, to: number): number {
  const pivot = data[(from + to) >> 1]!;
  let low = from;
  let high = to - 1;
  while (low <= high) {
    while (data[low]! < pivot) low++;
    while (data[high]! > pivot) high--;
    if (low > high) break;
    const value = data[low]!;
    data[low++] = data[high]!;
    data[high--] = value;
  }
  return low;
}

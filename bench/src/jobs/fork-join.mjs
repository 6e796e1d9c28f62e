/** The same, divided with fork and join; and what fork and join cost when nobody takes what is forked. */
import { fork } from "@skein/pool/worker";
import { merge, queensBelow, SMALL, sortAlone } from "./divide.mjs";

export { sortAlone };

export function sort(data, scratch, from, to) {
  if (to - from <= SMALL) {
    data.subarray(from, to).sort();
    return;
  }
  const middle = (from + to) >>> 1;
  const right = fork(sort, data, scratch, middle, to);
  sort(data, scratch, from, middle);
  right.join();
  merge(data, scratch, from, middle, to);
}

/** Forks in the first `depth` rows. */
export function queens(all, columns, left, right, depth) {
  if (depth === 0) return queensBelow(all, columns, left, right);
  const rows = [];
  for (let free = all & ~(columns | left | right); free !== 0; free &= free - 1) {
    const place = free & -free;
    rows.push(
      fork(queens, all, columns | place, ((left | place) << 1) & all, (right | place) >> 1, depth - 1),
    );
  }
  // Newest first: those are still on top of this thread's own queue.
  return rows.reduceRight((sum, row) => sum + row.join(), 0);
}

export function none() {
  return 1;
}

export function one(a) {
  return a;
}

export function two(a, b) {
  return a + b - a;
}

/** Nanoseconds per fork and join. */
export function forkCost(args, count) {
  let sum = 0;
  const started = performance.now();
  if (args === 0) for (let i = 0; i < count; i++) sum += fork(none).join();
  else if (args === 1) for (let i = 0; i < count; i++) sum += fork(one, 1).join();
  else for (let i = 0; i < count; i++) sum += fork(two, i, 1).join();
  const ns = ((performance.now() - started) / count) * 1e6;
  if (sum !== count) throw new Error(`${count} forks gave ${sum}`);
  return ns;
}

export function fibAlone(n) {
  return n < 2 ? n : fibAlone(n - 1) + fibAlone(n - 2);
}

export function fib(n) {
  if (n < 2) return n;
  const other = fork(fib, n - 1);
  const second = fib(n - 2);
  return other.join() + second;
}

/** Milliseconds of both, on this thread. */
export function fibCost(n) {
  const started = performance.now();
  const alone = fibAlone(n);
  const between = performance.now();
  const forked = fib(n);
  const ended = performance.now();
  if (alone !== forked) throw new Error(`fib(${n}) is ${alone}, forked ${forked}`);
  return { aloneMs: between - started, forkedMs: ended - between, forks: alone };
}

/** What `fork-join.ts` measures, on a pool thread. */
import { fork } from "@skein/pool/worker";

export function nothing(): number {
  return 1;
}

export function one(a: number): number {
  return a;
}

export function two(a: number, b: number): number {
  return a + b;
}

/** Nanoseconds of this thread per fork and join, one after the other: a value for each of the repetitions. */
export function forkAndJoin(numbers: 0 | 1 | 2, count: number, repetitions: number): number[] {
  return repeat(repetitions, count, () => {
    let sum = 0;
    if (numbers === 0) for (let i = 0; i < count; i++) sum += fork(nothing).join();
    else if (numbers === 1) for (let i = 0; i < count; i++) sum += fork(one, i).join();
    else for (let i = 0; i < count; i++) sum += fork(two, i, 0.5).join();
    return sum;
  });
}

export function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 2) + fibonacci(n - 1);
}

export function forkedFibonacci(n: number): number {
  if (n < 2) return n;
  const other = fork(forkedFibonacci, n - 1);
  return forkedFibonacci(n - 2) + other.join();
}

/** Nanoseconds per call of the recursive function that is not a leaf, plain and forked. */
export function fibonacciNs(n: number, repetitions: number): { plain: number[]; forked: number[] } {
  const forks = fibonacci(n + 1) - 1;
  return {
    // Often, because the time of a thread is told in milliseconds.
    plain: repeat(repetitions, forks * 20, () => {
      let sum = 0;
      for (let i = 0; i < 20; i++) sum += fibonacci(n);
      return sum;
    }),
    forked: repeat(repetitions, forks, () => forkedFibonacci(n)),
  };
}

function repeat(repetitions: number, count: number, run: () => number): number[] {
  return Array.from({ length: repetitions }, () => {
    const startedAt = threadTimeMs();
    run();
    return ((threadTimeMs() - startedAt) * 1e6) / count;
  });
}

/** What this thread has computed, where Node can tell (24): the machine may be busy with other things. */
function threadTimeMs(): number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  if (threadCpuUsage === undefined) return performance.now();
  const { user, system } = threadCpuUsage();
  return (user + system) / 1000;
}

const LEAF = 8192;

/** Sorts `data[from, to)`; the other half of `scratch` is overwritten. Sequential, the same algorithm as `forkedSort`. */
export function sequentialSort(data: Float64Array, scratch: Float64Array, from: number, to: number): void {
  if (to - from <= LEAF) {
    data.subarray(from, to).sort();
    return;
  }
  const middle = (from + to) >> 1;
  sequentialSort(data, scratch, from, middle);
  sequentialSort(data, scratch, middle, to);
  merge(data, scratch, from, middle, to);
}

export function forkedSort(data: Float64Array, scratch: Float64Array, from: number, to: number): void {
  if (to - from <= LEAF) {
    data.subarray(from, to).sort();
    return;
  }
  const middle = (from + to) >> 1;
  const right = fork(forkedSort, data, scratch, middle, to);
  forkedSort(data, scratch, from, middle);
  right.join();
  merge(data, scratch, from, middle, to);
}

/** On this thread alone, from a job, so that all contenders run on the same kind of thread. */
export function plainSort(data: Float64Array): void {
  data.sort();
}

function merge(data: Float64Array, scratch: Float64Array, from: number, middle: number, to: number): void {
  scratch.set(data.subarray(from, middle), from);
  let left = from;
  let right = middle;
  for (let at = from; left < middle; at++) {
    data[at] = right < to && data[right]! < scratch[left]! ? data[right++]! : scratch[left++]!;
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { AsyncLocal } from "@skein/context";
import { move, ThreadPool } from "@skein/pool";
import { fork, job, parallelFor } from "@skein/pool/worker";

export const request = new AsyncLocal<number>({ name: "soak.request", flow: "thread" });
export const trace = new AsyncLocal<{ id: string }>({ name: "soak.trace", flow: "wire" });

export function add(a: number, b: number): number {
  return a + b;
}

export function echo<T>(value: T): T {
  return value;
}

export async function echoLater<T>(value: T, ms: number): Promise<T> {
  await sleep(ms);
  return value;
}

/** Counts its runs. */
export function tick(counter: Int32Array): void {
  Atomics.add(counter, 0, 1);
}

export async function readContext(later: boolean): Promise<string> {
  if (later) await sleep(1);
  const seen = `${request.value} ${trace.value?.id}`;
  // What a job leaves behind is nobody else's.
  request.value = -1;
  return seen;
}

export function report(steps: number): number {
  for (let step = 0; step < steps; step++) job.progress(step);
  return steps;
}

export async function untilCancelled(): Promise<string> {
  const { signal } = job;
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  return "stopped";
}

export function spinUntilCancelled(): string {
  while (!job.isCancellationRequested);
  return "stopped";
}

/** Ignores that it is asked to stop, for longer than anybody waits. */
export function ignoreCancellation(): void {
  const end = performance.now() + 60_000;
  while (performance.now() < end);
}

export function fibonacci(n: number): number {
  if (n < 2) return n;
  const other = fork(fibonacci, n - 2);
  return fibonacci(n - 1) + other.join();
}

export function fillAll(target: Int32Array, value: number): number {
  parallelFor(fillSlice, { from: 0, to: target.length, args: [target, value] });
  return target.reduce((sum, x) => sum + x, 0);
}

export function fillSlice(from: number, to: number, target: Int32Array, value: number): void {
  target.fill(value, from, to);
}

export async function sumOfSquares(n: number): Promise<number> {
  const pool = ThreadPool.current!;
  const parts = await Promise.all(Array.from({ length: n }, (_, i) => pool.run(square, [i])));
  return parts.reduce((a, b) => a + b, 0);
}

export function square(n: number): number {
  return n * n;
}

export function nest(depth: number): number | PromiseLike<number> {
  return depth === 0 ? 0 : ThreadPool.current!.run(nest, [depth - 1]).then((inner) => inner + 1);
}

/** Leaves jobs behind that it does not wait for; each counts its run. */
export function leaveBehind(counter: Int32Array, jobs: number): void {
  for (let i = 0; i < jobs; i++) void ThreadPool.current!.run(tick, [counter]).then(null, () => {});
}

export function increment(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let i = 0; i < bytes.length; i += 1000) bytes[i]!++;
  return move(bytes, [bytes.buffer]);
}

export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 997) sum = (sum + bytes[i]!) | 0;
  return sum;
}

export function fail(id: number): never {
  throw Object.assign(new RangeError(`failed ${id}`, { cause: new TypeError("deeper") }), {
    code: "E_SOAK",
    id,
  });
}

export async function failLater(id: number): Promise<never> {
  await sleep(1);
  throw new AggregateError([new Error("one"), new SyntaxError("two")], `failed ${id}`);
}

export function returnsFunction(): unknown {
  return { deep: [() => 1] };
}

export function* count(to: number): Generator<number, string> {
  for (let i = 0; i < to; i++) yield i;
  return "counted";
}

/** Gives back what it reads, each item when it has come. */
export async function* pass<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of items) yield item;
}

export function exit(): void {
  process.exit(7);
}

export function throwsInTimer(): Promise<never> {
  setTimeout(() => {
    throw new Error("thrown in a timer");
  });
  return new Promise(() => {});
}

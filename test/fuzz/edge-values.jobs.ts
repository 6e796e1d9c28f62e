import { AsyncLocal } from "@skein/context";
import { type ProducerHandle, SharedProducer } from "@skein/batching";
import { ThreadPool } from "@skein/pool";
import { fork, job, move } from "@skein/pool/worker";
import { BufferStandIn } from "../../packages/pool/test/codec/arbitrary-value.ts";
import { difference } from "../../packages/pool/test/codec/same-graph.ts";
import { edgeValue, type EdgeValueOptions, memoryIn } from "./edge-value.ts";

export const local = new AsyncLocal<string>({ name: "test.edge-values.local", flow: "thread" });

/** What the value of this number arrives as. */
function cloneOf(seed: number): unknown {
  return structuredClone(edgeValue(seed, { buffer: (bytes) => new BufferStandIn(bytes) }));
}

/** Where `value` is not what the value of this number arrives as; null: it is. */
export function check(seed: number, value: unknown): string | null {
  const found = difference(value, cloneOf(seed));
  return found === undefined ? null : `${seed}: ${found}`;
}

export function echo(value: unknown): unknown {
  return value;
}

export function make(seed: number): unknown {
  return edgeValue(seed);
}

export async function makeLater(seed: number): Promise<unknown> {
  await Promise.resolve();
  return edgeValue(seed);
}

/** The value and the memory in it. */
export function moved(seed: number, options?: EdgeValueOptions): object {
  const value = { value: edgeValue(seed, options) };
  return move(value, memoryIn(value));
}

/** Getters of the result submit jobs, which are checked here. */
export async function makeWhileSubmitting(seed: number, others: number[]): Promise<unknown> {
  const checks: PromiseLike<string | null>[] = [];
  const getting = (): void => {
    const other = others.pop();
    if (other !== undefined) checks.push(ThreadPool.current!.run(check, [other, edgeValue(other)]));
  };
  // Encoded once here, as the argument of a job.
  const arrived = await ThreadPool.current!.run(echo, [edgeValue(seed, { getting })]);
  return {
    arrived,
    problem: (await Promise.all(checks)).find((each) => each !== null) ?? null,
    value: edgeValue(seed, { getting }),
  };
}

export function fail(seed: number): never {
  const value = edgeValue(seed);
  throw Object.assign(new RangeError(`${seed}`), { value, list: [value] });
}

export function throwValue(seed: number): never {
  throw edgeValue(seed);
}

export function report(seed: number): number {
  job.progress(edgeValue(seed, { buffer: (bytes) => new BufferStandIn(bytes) }));
  return seed;
}

export function* items(seeds: number[], isMoved: boolean): Generator<unknown, unknown> {
  for (const seed of seeds) yield isMoved ? moved(seed) : { value: edgeValue(seed) };
  return edgeValue(seeds[0]!);
}

export async function* itemsLater(seeds: number[], isMoved: boolean): AsyncGenerator<unknown, unknown> {
  for (const seed of seeds) {
    await Promise.resolve();
    yield isMoved ? moved(seed) : { value: edgeValue(seed) };
  }
  return edgeValue(seeds[0]!);
}

/** Gives each item on. */
export async function* through(source: AsyncIterable<object>, isMoved: boolean): AsyncGenerator<object> {
  for await (const item of source) yield isMoved ? move(item, memoryIn(item)) : item;
}

export async function read(
  seeds: number[],
  source: AsyncIterable<{ value: unknown }>,
): Promise<string | null> {
  let i = 0;
  for await (const { value } of source) {
    const problem = check(seeds[i++]!, value);
    if (problem !== null) return `item ${i - 1}: ${problem}`;
  }
  return i === seeds.length ? null : `only ${i} items`;
}

/** Forks both, and steps aside so that they may be stolen, or takes them back. */
export async function forked(seed: number, isStolen: boolean): Promise<string | null> {
  const there = fork(check, seed, edgeValue(seed));
  const value = { value: edgeValue(seed) };
  const movedThere = fork(checkMoved, seed, move(value, memoryIn(value)));
  const back = fork(make, seed);
  const movedBack = fork(moved, seed);
  const failing = fork(fail, seed);
  failing.then(undefined, () => {});
  if (isStolen) await Promise.all([there, movedThere, back, movedBack]);
  let thrown: { value: unknown; list: unknown[] };
  try {
    failing.join();
    throw new Error("it did not fail");
  } catch (error) {
    thrown = error as typeof thrown;
  }
  return (
    there.join() ??
    movedThere.join() ??
    check(seed, back.join()) ??
    check(seed, (movedBack.join() as { value: unknown }).value) ??
    check(seed, thrown.value) ??
    (Object.is(thrown.value, thrown.list[0]) ? null : "the aliases of an error differ")
  );
}

export function checkMoved(seed: number, holder: { value: unknown }): string | null {
  return check(seed, holder.value);
}

/** Of jobs to jobs: arguments and results, copied and moved, items both ways. */
export async function nested(seed: number, seeds: number[]): Promise<string | null> {
  const pool = ThreadPool.current!;
  const holder = { value: edgeValue(seed) };
  const there = pool.run(check, [seed, edgeValue(seed)]);
  const movedThere = pool.run(checkMoved, [seed, move(holder, memoryIn(holder))]);
  const back = pool.run(make, [seed]);
  const movedBack = pool.run(moved, [seed]) as PromiseLike<{ value: unknown }>;
  const failed = pool.run(fail, [seed]).then(
    () => null,
    (error: unknown) => error as { value: unknown },
  );
  const given: unknown[] = [];
  for await (const item of pool.run(items, [seeds, seed % 2 === 0]) as unknown as AsyncIterable<{
    value: unknown;
  }>)
    given.push(item.value);
  const problems = given.map((value, i) => check(seeds[i]!, value));
  problems.push(
    await there,
    await movedThere,
    check(seed, await back),
    check(seed, (await movedBack).value),
    check(seed, (await failed)?.value),
    given.length === seeds.length ? null : `${given.length} items`,
  );
  return problems.find((problem) => problem !== null) ?? null;
}

/** The first time its thread ends with it. */
export function checkAgain(calls: Int32Array, seed: number, value: unknown): string | null {
  if (Atomics.add(calls, 0, 1) === 0) process.exit(1);
  return check(seed, value);
}

export function push(handle: ProducerHandle, seed: number): boolean {
  return SharedProducer.attach(handle).tryPush({ seed, value: edgeValue(seed, { isAlone: true }) });
}

export function contextIs(expected: string, _value?: unknown): boolean {
  return local.value === expected;
}

export function bothAre(seed: number, value: unknown, other: number, otherValue: unknown): string | null {
  return check(seed, value) ?? check(other, otherValue);
}

export function checkOne([seed, value]: [number, unknown]): string | null {
  return check(seed, value);
}

export function holder(seed: number): object {
  return { value: edgeValue(seed) };
}

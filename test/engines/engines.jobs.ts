/** Jobs of the conformance suite. None blocks its thread, unless it says so: on some engines that is the caller's. */
import { once } from "node:events";
import { threadId } from "node:worker_threads";
import { AsyncLocal } from "@skein/context";
import { fork, job, move, registerError } from "@skein/pool/worker";
import { add as addTo, type Gate, load, store } from "./gates.ts";

export const tenant = new AsyncLocal<string>({ name: "engines.tenant", flow: "wire" });
const here = new AsyncLocal<string>();

export class OrderError extends RangeError {
  readonly order: number;

  constructor(order: number, options?: ErrorOptions) {
    super(`no order ${order}`, options);
    this.order = order;
  }
}
registerError(OrderError);

export const notAFunction = 1;

export function add(a: number, b: number): number {
  return a + b;
}

export function echo<T>(value: T): T {
  return value;
}

export async function echoLater<T>(value: T): Promise<T> {
  await new Promise((resolve) => setImmediate(resolve));
  return value;
}

/** Marks in `marks` what it has yielded, and its end. */
export function* upTo(to: number, marks?: Gate): Generator<number, string> {
  try {
    for (let i = 0; i < to; i++) {
      if (marks !== undefined) store(marks, 0, i + 1);
      yield i;
    }
    return "all";
  } finally {
    if (marks !== undefined) store(marks, 1, 1);
  }
}

export async function* tenants(count: number): AsyncGenerator<string | undefined> {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    yield tenant.value;
  }
}

/** Leaves the loop behind so many. `marks`: it reads, and has ended. */
export async function orders(
  items: AsyncIterable<{ order: number }>,
  count: number,
  marks?: Gate,
): Promise<number[]> {
  const seen: number[] = [];
  try {
    if (marks !== undefined) store(marks, 0, 1);
    for await (const { order } of items) if (seen.push(order) === count) break;
  } finally {
    if (marks !== undefined) store(marks, 1, 1);
  }
  return seen;
}

export async function lengths({ parts }: { parts: AsyncIterable<Uint8Array> }): Promise<number[]> {
  const seen: number[] = [];
  for await (const part of parts) seen.push(part.length);
  return seen;
}

export function* failLate(order: number): Generator<number> {
  yield order;
  throw new OrderError(order);
}

export function change(list: number[]): number {
  return list.push(4);
}

export function fail(order: number): never {
  throw Object.assign(new OrderError(order, { cause: new TypeError("the cause") }), {
    code: "E_ORDER",
    details: { tries: [1, 2] },
  });
}

export async function failLater(order: number): Promise<never> {
  await new Promise((resolve) => setImmediate(resolve));
  return fail(order);
}

/** With a property that only threads of one process can be sent. */
export function failWithBlob(order: number): never {
  throw Object.assign(new OrderError(order), { code: "EORDER", body: new Blob(["x"]) });
}

export function throwIt(value: unknown): never {
  throw value;
}

export function returnFunction(): unknown {
  return { part: [() => 1] };
}

/** Marks its place in the log: a word for each job that has begun. */
export function append(log: Gate, mark: number): void {
  store(log, addTo(log, 0, 1) + 1, mark);
}

/** Word 1 says that it has begun; ends when word 0 is set. */
export async function hold(gate: Gate): Promise<string> {
  store(gate, 1, 1);
  while (load(gate, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  return "released";
}

/** Word 1 says that it has begun, word 2 that it has seen that it was asked to stop. */
export async function holdUntilStopped(gate: Gate): Promise<void> {
  store(gate, 1, 1);
  while (!job.isCancellationRequested) await new Promise((resolve) => setTimeout(resolve, 1));
  store(gate, 2, 1);
  job.throwIfCancellationRequested();
}

/** The same by its signal. */
export async function holdUntilSignalled(gate: Gate): Promise<void> {
  const { signal } = job;
  store(gate, 1, 1);
  const alive = setInterval(() => {}, 1000);
  if (!signal.aborted) await once(signal, "abort");
  clearInterval(alive);
  store(gate, 2, signal.reason instanceof Error ? 1 : 2);
}

/** The same, blocking its thread. */
export function spinUntilStopped(gate: Gate): void {
  store(gate, 1, 1);
  while (!job.isCancellationRequested);
  store(gate, 2, 1);
}

/** Blocks its thread for ever. */
export function spin(gate: Gate): never {
  store(gate, 1, 1);
  for (;;);
}

export function report(count: number): string {
  for (let i = 0; i < count; i++) job.progress({ i });
  return "reported";
}

export async function reportLater(count: number): Promise<string> {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    job.progress(i);
  }
  return "reported";
}

export interface Ambient {
  readonly tenant: string | undefined;
  readonly here: string | undefined;
}

export function ambient(): Ambient {
  return { tenant: tenant.value, here: here.value };
}

export async function ambientLater(): Promise<Ambient> {
  await new Promise((resolve) => setImmediate(resolve));
  return ambient();
}

export function changeAmbient(value: string): string | undefined {
  const before = tenant.value;
  tenant.value = value;
  here.value = value;
  return before;
}

export function moveBack(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return move(bytes, [bytes.buffer]);
}

export function forkAdd(a: number, b: number): number {
  return fork(add, a, b).join();
}

export function thread(): number {
  return threadId;
}

/** Where it runs, process and thread. */
export function place(): string {
  return `${process.pid}/${threadId}`;
}

/** Ends its thread as often as word 0 says. */
export function crash(gate: Gate): string {
  if (addTo(gate, 0, -1) > 0) process.exit(7);
  return "survived";
}

/** By a Piscina of its own. */
export async function addOne(value: number): Promise<number> {
  const { Piscina } = await import("piscina");
  const filename = new URL("./plain.task.mjs", import.meta.url).href;
  const piscina = new Piscina<number, number>({ filename, maxThreads: 1 });
  try {
    return await piscina.run(value);
  } finally {
    await piscina.destroy();
  }
}

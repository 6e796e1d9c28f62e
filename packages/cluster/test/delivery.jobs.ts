/** Jobs that count their runs in a file, and end as they are told. */
import { add, type Gate, load, store } from "../../../test/engines/gates.ts";
import { Cluster } from "@skein/cluster";
import { job } from "@skein/pool/worker";

/** Word 0 counts the runs. */
export function failTimes(gate: Gate, times: number): number {
  const run = add(gate, 0, 1) + 1;
  if (run <= times) throw new RangeError(`run ${run}`);
  return run;
}

/** Ends its thread, the first time. */
export function crashOnce(gate: Gate): number {
  const run = add(gate, 0, 1) + 1;
  if (run === 1) process.exit(7);
  return run;
}

/** Ends its thread by an error that nobody catches. */
export async function crashWith(message: string): Promise<never> {
  process.nextTick(() => {
    throw new RangeError(message);
  });
  return await new Promise<never>(() => {});
}

/** Ends its process, always: word 0 counts, and the others of `with` have begun before. */
export async function poison(gate: Gate, others: readonly Gate[]): Promise<never> {
  if (add(gate, 0, 1) === 0)
    while (others.some((other) => load(other, 1) === 0))
      await new Promise((resolve) => setImmediate(resolve));
  process.kill(process.pid, "SIGKILL");
  return await new Promise<never>(() => {});
}

/** Word 1 counts the runs; the first does not end. */
export async function innocent(gate: Gate): Promise<string> {
  const isFirst = add(gate, 1, 1) === 0;
  if (isFirst) await new Promise(() => setInterval(() => {}, 1000));
  return "innocent";
}

/** Word 1 says that it has begun, word 2 that it was asked to stop; word 0 ends it as well. */
export async function untilStopped(gate: Gate): Promise<void> {
  store(gate, 1, 1);
  while (!job.isCancellationRequested && load(gate, 0) === 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  store(gate, 2, Number(job.isCancellationRequested));
}

export function join(separator: string, parts: string[]): string {
  return parts.join(separator);
}

export function word(text: string): string {
  if (text === "") throw Object.assign(new RangeError("no word"), { code: "E_WORD" });
  return text;
}

export function byteLength(bytes: ArrayBuffer): number {
  return bytes.byteLength;
}

export function reportMany(count: number): void {
  for (let i = 0; i < count; i++) job.progress(i);
}

let running = 0;
let most = 0;

/** How many of its runs were under way on this thread at once, so far. Returns at once, unless it is to wait. */
export function overlap(ms: number): number | Promise<number> {
  most = Math.max(most, ++running);
  const end = (): number => {
    running--;
    return most;
  };
  return ms === 0 ? end() : new Promise((resolve) => setTimeout(() => resolve(end()), ms));
}

/** Holds its thread: word 1 says that it has begun, word 0 ends it. */
export function block(gate: Gate): void {
  store(gate, 1, 1);
  while (load(gate, 0) === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/** Submits a job that fails, and never looks at it. @returns what its thread hears of that. */
export async function forget(connection: string, name: string): Promise<string> {
  const heard = new Promise<unknown>((resolve) => process.once("unhandledRejection", resolve));
  await using cluster = new Cluster({ connection, name });
  void cluster.module<{ word: typeof word }>(new URL(import.meta.url)).word("");
  return String(await heard);
}

/** Runs itself on the cluster until `depth` is 0, and waits for it each time. */
export async function nested(connection: string, name: string, depth: number): Promise<number> {
  if (depth === 0) return 0;
  await using cluster = new Cluster({ connection, name });
  const jobs = cluster.module<{ nested: typeof nested }>(new URL(import.meta.url));
  return (await jobs.nested(connection, name, depth - 1)) + 1;
}

import { subscribe, tracingChannel } from "node:diagnostics_channel";
import { parentPort } from "node:worker_threads";
import { type ProducerHandle, SharedProducer } from "@skein/batching";
import { release, type Remote } from "@skein/comlink";
import { correlationId } from "@skein/context/http";
import { contextFields } from "@skein/context/log";
import { ThreadPool } from "@skein/pool";
import { fork, job } from "@skein/pool/worker";
import { leaveBehind, ownerOfTrace, see, type Seen, type Value, within } from "./ambient.ts";

export function seeIt(): Seen {
  return see();
}

/** At its beginning, behind an await, and behind each yield. */
export async function* seeEach(): AsyncGenerator<Seen> {
  yield see();
  await Promise.resolve();
  yield see();
  yield see();
}

export function* seeEachAtOnce(): Generator<Seen> {
  yield see();
  yield see();
}

class Other {
  readonly seen: Seen = see();
}

/** For `spawn` of @skein/comlink. */
export class Watcher {
  readonly Other: typeof Other = Other;
  get property(): Seen {
    return see();
  }
  see(): Seen {
    return see();
  }
  async seeLater(): Promise<Seen> {
    return await seeLater();
  }
  async callBack(fn: () => Seen | Promise<Seen>): Promise<Seen> {
    const seen = await fn();
    // Otherwise it is there until this thread has collected it.
    await release(fn as unknown as Remote<typeof fn>);
    return seen;
  }
}

export async function seeLater(): Promise<Seen> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return see();
}

export function seeItem(_item: number): Seen {
  return see();
}

export async function seeNested(): Promise<Seen[]> {
  const inner = await ThreadPool.current!.run(seeIt, []);
  return [inner, see()];
}

/** The context of the inner one is its own submitter's. */
export async function nestedAsOther(owner: string): Promise<Seen[]> {
  const inner = await within(owner, () => ThreadPool.current!.run(seeIt, [])).result;
  return [inner];
}

export function seeForked(): Seen[] {
  const tasks = [fork(seeIt), fork(seeIt), fork(seeIt)];
  const seen = tasks.map((task) => task.join());
  return [...seen, see()];
}

export async function seeForkAwaited(): Promise<Seen[]> {
  const task = fork(seeIt);
  const inner = await task;
  return [inner, see()];
}

export function reportIt(): void {
  job.progress(1);
}

export function abortListener(gate: Int32Array): Promise<Seen> {
  return new Promise((resolve) => {
    job.signal.addEventListener("abort", () => resolve(see()));
    Atomics.store(gate, 0, 1);
  });
}

let seenAbort: Seen | undefined;
export function keepAbortListener(gate: Int32Array): Promise<void> {
  return abortListener(gate).then((seen) => void (seenAbort = seen));
}
export function readAbort(): Seen | undefined {
  return seenAbort;
}

/** A timer that outlives its job. */
let inTimer = Promise.withResolvers<Seen>();
export function leaveTimer(): void {
  inTimer = Promise.withResolvers<Seen>();
  const { resolve } = inTimer;
  setTimeout(() => resolve(see()), 5);
}
export function readTimer(): Promise<Seen> {
  return inTimer.promise;
}

export function leaveAll(owner: string): void {
  leaveBehind(owner);
}
export async function leaveAllLater(owner: string): Promise<void> {
  await Promise.resolve();
  leaveBehind(owner);
}

/** Its handler runs for whoever sends, and nobody whose job ran here before. */
export function answerMessages(): void {
  parentPort!.on("message", () => parentPort!.postMessage(see()));
}

const starts: Seen[] = [];
export function listenForStarts(): void {
  subscribe("skein:job:start", (message) => {
    if ((message as { name: string }).name === "seeIt") starts.push(see());
  });
}
export function takeStarts(): Seen[] {
  return starts.splice(0);
}

export function idOfRequest(): string | undefined {
  return correlationId.value;
}

export function initialized(): Seen {
  return (globalThis as unknown as { seenAtInitialize: Seen }).seenAtInitialize;
}

export function fail(): never {
  throw new Error("nobody looks");
}

export function pushIt(handle: ProducerHandle): void {
  SharedProducer.attach<string>(handle).push("item");
}

/** Dies the first time. */
export function seeSecond(attempts: Int32Array): Seen {
  if (Atomics.add(attempts, 0, 1) === 0) process.exit(1);
  return see();
}

/** What a log line would have, as if it had been seen. */
export async function logged(): Promise<Seen> {
  await Promise.resolve();
  const fields = contextFields() as Record<string, Value | string | undefined>;
  const trace = fields["trace_id"] as string | undefined;
  const inField = (name: string): string => {
    const value = fields[name];
    // A text, where the codec is not known.
    return typeof value === "string" ? value : (value?.owner ?? "nothing");
  };
  return {
    ...see(),
    local: inField("matrix.local"),
    thread: inField("matrix.thread"),
    wire: inField("matrix.wire"),
    flowing: inField("matrix.flowing"),
    span: trace === undefined ? "nothing" : ownerOfTrace(trace),
  };
}

const runs: Seen[] = [];
export function listenForRuns(): void {
  const listener = (message: unknown): void => {
    if ((message as { name: string }).name === "seeLater") runs.push(see());
  };
  tracingChannel("skein:job:run").start.subscribe(listener);
  tracingChannel("skein:job:run").asyncEnd.subscribe(listener);
}
export function takeRuns(): Seen[] {
  return runs.splice(0);
}

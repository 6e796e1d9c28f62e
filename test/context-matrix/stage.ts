/** What rows share: where they run, and how they wait. */
import { setTimeout as sleep } from "node:timers/promises";
import { AsyncScope } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import type { Seen } from "./ambient.ts";
import type * as Jobs from "./matrix.jobs.ts";
import type { Rights } from "./rights.ts";

export interface Stage {
  readonly pool: ThreadPool;
  readonly jobs: ReturnType<typeof ThreadPool.prototype.module<typeof Jobs>>;
  /** Whose turn it is. */
  readonly owner: string;
}

export interface Hop {
  readonly name: string;
  /** Null: nothing is looked at, but for what is kept afterwards. */
  readonly rights: Rights | null;
  /** Called in its owner's context; everything that it gives must be right. Null: it cannot be tried here. */
  readonly run: (stage: Stage) => Promise<readonly Seen[] | null>;
}

export const ambientUrl: URL = new URL("./ambient.ts", import.meta.url);
export const jobsUrl: URL = new URL("./matrix.jobs.ts", import.meta.url);

/** Called at the end, in turn. */
export const closing: (() => unknown)[] = [];

/** Made in nobody's context. */
const idlePools = Array.from({ length: 40 }, () => new ThreadPool({ maxThreads: 1 }));
export function idlePool(): Pick<Stage, "pool" | "jobs"> {
  const pool = idlePools.pop()!;
  return { pool, jobs: pool.module<typeof Jobs>(jobsUrl) };
}

export const gate = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function opened(word: Int32Array): Promise<void> {
  while (Atomics.load(word, 0) === 0) await sleep(1);
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Made once, in nobody's context, by whoever needs it first. */
export function shared<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: AsyncScope.root.run(make) }).value;
}

/** In nobody's context: from a timer that was made before anybody's. */
const toAbort: AbortController[] = [];
setInterval(() => {
  for (const controller of toAbort.splice(0)) controller.abort();
}, 1).unref();
export function abortFromOutside(controller: AbortController): void {
  toAbort.push(controller);
}

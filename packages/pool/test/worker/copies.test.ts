/** A job module may bring a copy of this package, as bundles do: what runs its jobs is then of one copy, what submits theirs of the other. */
import { once } from "node:events";
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Scheduling from "@skein/scheduling";
import { afterAll, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";

interface CopyJobs {
  bytesOf(length: number): Uint8Array;
  partsOf(length: number): Generator<Uint8Array>;
  askFor(length: number): number;
  readAll(length: number): number;
  end(begun: Int32Array): never;
  seeOneEnd(): string;
}

const LENGTH = 100_000;
const pool = new ThreadPool({ minThreads: 2, maxThreads: 2 });
const folder = realpathSync(mkdtempSync(join(tmpdir(), "skein-pool-copy-")));
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

const packageFolder = fileURLToPath(new URL("../../", import.meta.url));
cpSync(join(packageFolder, "dist"), join(folder, "dist"), { recursive: true });
symlinkSync(join(packageFolder, "node_modules"), join(folder, "node_modules"));
writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
const file = join(folder, "copy.jobs.js");
writeFileSync(
  file,
  `import { ThreadPool } from "./dist/index.js";
  import { move } from "./dist/worker.js";

  const own = () => ThreadPool.current.module(import.meta.url);

  export function bytesOf(length) {
    const bytes = new Uint8Array(length);
    return move(bytes, [bytes.buffer]);
  }
  export function* partsOf(length) {
    for (let i = 0; i < 3; i++) yield bytesOf(length);
  }
  export async function askFor(length) {
    return (await own().bytesOf(length)).length;
  }
  export async function readAll(length) {
    let read = 0;
    for await (const part of own().partsOf(length)) read += part.length;
    return read;
  }
  export function end(begun) {
    Atomics.store(begun, 0, 1);
    Atomics.notify(begun, 0);
    process.exit(1);
  }
  export async function seeOneEnd() {
    const begun = new Int32Array(new SharedArrayBuffer(4));
    const ended = own().end(begun);
    // Not on this thread.
    Atomics.wait(begun, 0, 0);
    return await ended.then(undefined, ({ code, job }) => code + " " + job);
  }`,
);
const jobs = pool.module<CopyJobs>(file);

it("a job gets what comes by message, later than the outcome that names it", async () => {
  expect(await jobs.askFor(LENGTH)).toBe(LENGTH);
  expect(await jobs.readAll(LENGTH)).toBe(3 * LENGTH);
});

it("an error of the thread says which job it is about", async () => {
  expect(await jobs.seeOneEnd()).toBe(`ERR_SKEIN_THREAD_CRASHED end (${pathToFileURL(file).href})`);
});

it("a copy of another protocol has no part in the pool, and a warning says so", async () => {
  const theirs = { protocol: 0, home: "file:///theirs.js", parts: { thread: { thread: {} } } };
  (globalThis as Record<symbol, unknown>)[Symbol.for("skein.pool.v1")] = [theirs];
  const warned = once(process, "warning");
  expect(ThreadPool.current).toBeNull();
  expect(await warned).toMatchObject([{ code: "SKEIN_WARN_COPIES" }]);
});

it("a TaskScheduler of another copy is one", async () => {
  const url = new URL("../../../scheduling/dist/index.js", import.meta.url).href;
  const { TaskScheduler } = (await import(url)) as typeof Scheduling;
  let queued = 0;
  class OtherScheduler extends TaskScheduler {
    queueTask(item: Scheduling.ScheduledItem): void {
      queued++;
      setImmediate(() => this.tryExecuteTask(item));
    }
  }
  expect(await pool.run((n: number) => n + 1, [1], { continuations: new OtherScheduler() })).toBe(2);
  expect(queued).toBe(1);
});

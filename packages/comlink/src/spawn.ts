import { isAbsolute } from "node:path";
import { pathToFileURL, URL as NodeURL } from "node:url";
import { ExecutionContext } from "@skein/context";
import { argumentRangeError, argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import { ThreadPool } from "@skein/pool";
import { type JobEngine, showJobsAs, suppressTracing } from "@skein/pool/engine";
import { proxyOver } from "./doors.ts";
import type * as Home from "./home.ts";
import { mustChoose, onThreads } from "./homes.ts";
import { Promise } from "./intrinsics.ts";
import { Replicas } from "./replicas.ts";
import { type Blueprint, ThreadObject } from "./thread-object.ts";
import type { Remote } from "./wrap.ts";

export interface SpawnOptions {
  /**
   * On how many threads of a ThreadPool there is one. They share nothing; a call goes to the one with the fewest under way, or by the `affinity` of
   * its CallOptions. 1 to the pool's `maxThreads`. @default 1
   */
  readonly replicas?: number | undefined;
  /**
   * What happens when its thread dies: calls under way reject with ThreadCrashedError in either case. "reject": so do all later ones. "restart":
   * it is constructed again with the same arguments, and takes later calls; if that fails, those reject with why. @default "reject"
   */
  readonly onLost?: "reject" | "restart" | undefined;
}

/** The names of the classes that a module exports. */
export type ClassName<M> = {
  [K in keyof M]: M[K] extends abstract new (...args: never[]) => unknown ? K : never;
}[keyof M] &
  string;
type InstanceOf<C> = C extends abstract new (...args: never[]) => infer I ? I : never;
type ArgumentsOf<C> = C extends abstract new (...args: infer A) => unknown ? A : never;

const names: OptionNames<SpawnOptions> = { replicas: true, onLost: true };
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const homeUrl = new NodeURL(`./home.${extension}`, import.meta.url);
// It lasts as long as its object.
suppressTracing(homeUrl);
showJobsAs(homeUrl, { url: homeUrl.href, name: "spawned object" });

/**
 * Constructs an object on a thread of the pool, for state that is costly to build or belongs to one thread: a compiled grammar, a WASM module, a
 * model, a connection of SQLite. Calls go to it over a port of its own, with context, as with `wrap`.
 *
 * It takes one of its thread's places for jobs (`jobsPerThread`, by default one), and keeps the thread and the process alive until it is released,
 * collected, or lost. It ends with the pool: a pool that drains lets calls under way settle first. At its end its `finalizer` is called, then
 * `[Symbol.asyncDispose]()` or `[Symbol.dispose]()`.
 *
 * @param url The module, as of `pool.module`: a file URL or an absolute path.
 * @param name The class, by the name of its export.
 * @param args Of the constructor, as arguments of calls: functions and AbortSignals too. They are copied before this returns, and when it is
 * constructed again, as they are then. What is moved cannot be constructed again.
 * @returns rejects with what the constructor threw, JobNotFoundError or JobModuleError when there is no such class, and as a job does.
 * @throws TypeError or RangeError for a bad argument or option, naming it.
 * @example
 * const parser = await spawn<typeof import("./parser.ts"), "Parser">(pool, new URL("./parser.ts", import.meta.url), "Parser", [grammar]);
 * const tree = await parser.parse(text);
 * await release(parser);
 */
export function spawn<M, K extends ClassName<M>>(
  pool: JobEngine,
  url: URL | string,
  name: K,
  args: ArgumentsOf<M[K]>,
  options?: SpawnOptions,
): Promise<Remote<InstanceOf<M[K]>>> {
  const { replicas = 1, onLost = "reject" } = ownOptions(options, names);
  if (typeof pool !== "object" || pool === null || typeof pool.module !== "function")
    throw argumentTypeError("pool", "a ThreadPool", pool);
  if (typeof name !== "string") throw argumentTypeError("name", "the name of an exported class", name);
  if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
  if (onLost !== "reject" && onLost !== "restart")
    throw argumentTypeError("onLost", '"reject" or "restart"', onLost);
  checkReplicas(replicas, pool);
  // Refuses what is no URL of a module.
  pool.module(url);
  const plan: Plan = {
    pool,
    home: pool.module<typeof Home>(homeUrl).home,
    url: typeof url !== "string" ? url.href : isAbsolute(url) ? pathToFileURL(url).href : url,
    name,
    args,
    restarts: onLost === "restart",
  };
  return start(plan, replicas);
}

type Plan = Omit<Blueprint, "context">;

/** What the codecs of the context throw, it rejects with. */
async function start<T>(plan: Plan, replicas: number): Promise<Remote<T>> {
  const { pool } = plan;
  const blueprint = { ...plan, context: ExecutionContext.capture()?.toCarrier() ?? null };
  // They have read the arguments when `spawn` returns.
  const objects = Array.from({ length: replicas }, () => new ThreadObject(blueprint));
  if (!(pool instanceof ThreadPool) || (replicas === 1 && !mustChoose(pool)))
    return proxyOver(await objects[0]!.moveIn(null)) as Remote<T>;
  const started = await moveInAll(pool, objects);
  const all = new Replicas(started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])));
  const failed = started.find((each) => each.status === "rejected");
  if (failed === undefined) return proxyOver(all) as Remote<T>;
  await all.release();
  throw failed.reason;
}

async function moveInAll(
  pool: ThreadPool,
  objects: readonly ThreadObject[],
): Promise<PromiseSettledResult<ThreadObject>[]> {
  try {
    return await onThreads(pool, objects.length, (places) =>
      Promise.allSettled(objects.map((object, i) => object.moveIn(places[i] ?? null))),
    );
  } catch (error) {
    for (const object of objects) object.abandon(error);
    throw error;
  }
}

function checkReplicas(replicas: unknown, pool: JobEngine): void {
  const max = pool instanceof ThreadPool ? pool.maxThreads : 1;
  const expected = `an integer from 1 to ${max}, as many as the pool has threads`;
  if (typeof replicas !== "number") throw argumentTypeError("replicas", expected, replicas);
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > max)
    throw argumentRangeError("replicas", expected, replicas);
}

/**
 * The mistake that feeds itself: a job module makes a pool and runs its own jobs, because the program is its own job module or because
 * the job module imports the program. Each thread would start threads that start threads.
 *
 * What a module does while it is loaded, and what goes on from there (timers, promises, listeners), runs with a mark. Jobs that are
 * submitted under that mark are refused:
 *
 * | the module | its own jobs | other jobs, of a pool that was made outside of pool threads | other jobs, deeper |
 * |------------|--------------|-------------------------------------------------------------|--------------------|
 * | is loading | refused      | refused                                                     | refused            |
 * | is loaded  | refused      | run                                                         | refused            |
 *
 * ("Deeper": on a thread of a pool that a pool thread made.) So no chain of threads is longer than three. Functions that jobs call have
 * no mark, nor does a `Worker` of the user. A refusal while the module is loading also fails the load: the caller of the job gets the
 * error, whatever the module did with it. Preloads have no mark: their pools work, and threads of those run no preloads.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { isMainThread } from "node:worker_threads";
import { SkeinError } from "@skein/context/errors";
import { OnGlobal } from "../shared/on-global.ts";
import type { FunctionSource } from "./function-source.ts";
import { generation } from "./pool-thread.ts";

interface Loading {
  readonly url: string;
  isOver: boolean;
  refused: SkeinError | null;
}

// Under a registered symbol: the module may have a copy of this package of its own.
const storage = new OnGlobal<AsyncLocalStorage<Loading>>("skein.pool.module-loading");

const code = "ERR_SKEIN_POOL_IN_JOB_MODULE";
/** A process of a pool runs jobs on its main thread. */
const outsideOnly = isMainThread ? "`if (import.meta.main)`" : "`if (isMainThread)` (node:worker_threads)";

/** Calls `load` with the mark. @throws why jobs were refused meanwhile, or else what it throws. */
export async function loading<R>(url: string, load: (url: string) => Promise<R>): Promise<R> {
  const marks = storage.value ?? storage.put(new AsyncLocalStorage<Loading>());
  const mark: Loading = { url, isOver: false, refused: null };
  try {
    return await marks.run(mark, load, url);
  } finally {
    mark.isOver = true;
    // oxlint-disable-next-line no-unsafe-finally -- whatever the module made of it, this is what is wrong with it
    if (mark.refused !== null) throw mark.refused;
  }
}

export function isLoadingRefusal(error: unknown): boolean {
  return SkeinError.isSkeinError(error) && error.code === code;
}

/** Why a job of `source` may not be submitted here; null: it may. */
export function refusalWhileLoading(source: FunctionSource): SkeinError | null {
  return generation === 0 ? null : refusal(source);
}

/** Why no thread may be started here that loads these job modules; null: it may. */
export function refusalToStart(urls: readonly string[]): SkeinError | null {
  const [first = ""] = urls;
  const mark = storage.value?.getStore();
  const url = mark !== undefined && urls.includes(mark.url) ? mark.url : first;
  return refusalWhileLoading({ kind: "export", url, name: "default" });
}

function refusal(source: FunctionSource): SkeinError | null {
  const mark = storage.value?.getStore();
  if (mark === undefined) return null;
  const isOwn = source.kind === "export" && source.url === mark.url;
  if (mark.isOver && !isOwn && generation === 1) return null;
  const error = new SkeinError(
    code,
    `The module ${mark.url} runs jobs when a pool thread loads it, and so would each thread that it starts. ` +
      `Move the jobs to a file that does not import the program, or run them only ${outsideOnly}`,
  );
  if (!mark.isOver) mark.refused ??= error;
  return error;
}

/** Whether the caller is a module that is being loaded, or went on from there. */
export function isLoadingModule(): boolean {
  return storage.value?.getStore() !== undefined;
}

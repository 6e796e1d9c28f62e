/** What `Worker` is given, so that a pool thread starts however the program was started. */
import type * as NodeModule from "node:module";
import { dirname } from "node:path";
import type { ResourceLimits, SHARE_ENV, WorkerOptions } from "node:worker_threads";
import { bare } from "../shared/bare.ts";
import { process, stringify } from "../shared/intrinsics.ts";

/** What a user can say about the threads; passed on to `Worker`. */
export interface ThreadOptions {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv | typeof SHARE_ENV | undefined;
  readonly execArgv: readonly string[] | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly workerData: unknown;
  readonly argv: readonly string[] | undefined;
  /** Whether the threads run what `--import` and `--require` name, as the process does. */
  readonly runsPreloads: boolean;
}

export interface ThreadStart {
  readonly entry: URL | string;
  readonly options: WorkerOptions;
}

const getBuiltinModule = process.getBuiltinModule.bind(process);

/** `Worker` refuses a file as its entry under this flag, which it inherits. */
const inputType = /(?:^|\s)"?--input-type\b/;

export function threadStart(entry: URL, thread: ThreadOptions): ThreadStart {
  const cached = withCompileCache(thread);
  const { workerData, argv } = thread;
  const { env, execArgv, resourceLimits } = thread.runsPreloads ? cached : withoutPreloads(cached);
  const options: WorkerOptions = {
    name: thread.name,
    ...(workerData === undefined ? {} : { workerData }),
    ...(argv === undefined ? {} : { argv: [...argv] }),
    // Omitted, a worker inherits; given, some flags of the parent are refused.
    ...(env === undefined ? {} : { env: typeof env === "symbol" ? env : bare(env) }),
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    ...(resourceLimits === undefined ? {} : { resourceLimits: bare(resourceLimits) }),
  };
  const nodeOptions = (typeof env === "object" ? env : process.env)["NODE_OPTIONS"] ?? "";
  const isFile =
    !(execArgv ?? process.execArgv).some((flag) => inputType.test(flag)) && !inputType.test(nodeOptions);
  return isFile
    ? { entry, options: bare(options) }
    : { entry: codeThatImports(entry), options: bare({ ...options, eval: true }) };
}

/** Parses under either input type. Thrown outside of the promise, an error ends the thread whatever it does with unhandled rejections. */
function codeThatImports(entry: URL): string {
  return `import(${stringify(entry.href)}).catch((error) => { setImmediate(() => { throw error; }); });`;
}

/**
 * Threads inherit a cache of compiled code that the environment turned on, not one that the program turned on by a call. An `env` that the
 * user gave is left as it is.
 */
function withCompileCache(thread: ThreadOptions): ThreadOptions {
  if (thread.env !== undefined || process.env["NODE_COMPILE_CACHE"] !== undefined) return thread;
  const { getCompileCacheDir } = getBuiltinModule("node:module") as Partial<typeof NodeModule>;
  // Deno has none.
  const directory = getCompileCacheDir?.();
  if (directory === undefined) return thread;
  // Below the directory that was asked for lies one for this version of Node.
  return { ...thread, env: { ...process.env, NODE_COMPILE_CACHE: dirname(directory) } };
}

/** Of what is inherited only what says how modules are found: Node refuses most other flags when they are given. */
function withoutPreloads(thread: ThreadOptions): ThreadOptions {
  const { execArgv, env } = thread;
  if (execArgv !== undefined) return thread;
  const inherited = process.execArgv;
  const kept = inherited.filter(
    (flag, i) =>
      /^(?:--conditions|-C)(?:=|$)/.test(flag) || /^(?:--conditions|-C)$/.test(inherited[i - 1] ?? ""),
  );
  const { NODE_OPTIONS: _, ...rest } = typeof env === "object" ? env : process.env;
  return { ...thread, execArgv: kept, env: rest };
}

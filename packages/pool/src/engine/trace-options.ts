/** The option `trace` of a pool. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { argumentTypeError } from "@skein/context/errors";
import type { ResolvedTraceOptions } from "../trace/pool-trace.ts";
import { type OptionNames, ownOptions } from "@skein/context/errors";
import { integer } from "./option-values.ts";
import { isUrl } from "../jobs/job-url.ts";

/** `trace` with its limits. */
export interface TraceOptions {
  /** A path, relative to the current working directory, or a file URL. The folder must exist. */
  readonly file: string | URL;
  /**
   * How many events of each thread are kept: the newest ones; the file says how many were dropped. A job is two events on the thread that
   * submits it, and one or two on the thread that runs it. 40 bytes each. 1024 to 2^22, rounded up to a power of two. @default 65 536
   */
  readonly eventsPerThread?: number | undefined;
}

const names: OptionNames<TraceOptions> = { file: true, eventsPerThread: true };

const DEFAULT_EVENTS = 65_536;

/** @throws TypeError or RangeError naming the option. */
export function resolveTraceOptions(trace: string | URL | TraceOptions): ResolvedTraceOptions {
  if (typeof trace === "string" || isUrl(trace)) {
    return { file: tracePath("trace", trace), eventsPerThread: DEFAULT_EVENTS };
  }
  if (typeof trace !== "object" || trace === null)
    throw argumentTypeError("trace", "a path, a file: URL, or an object with `file`", trace);
  const own = ownOptions(trace, names, "trace");
  const events = integer("trace.eventsPerThread", own.eventsPerThread, 1024, 2 ** 22) ?? DEFAULT_EVENTS;
  return { file: tracePath("trace.file", own.file), eventsPerThread: 2 ** Math.ceil(Math.log2(events)) };
}

function tracePath(name: string, file: string | URL | undefined): string {
  if (isUrl(file)) {
    if (file.protocol !== "file:") throw argumentTypeError(name, "a path or a file: URL", file.href);
    return fileURLToPath(file.href);
  }
  if (typeof file !== "string" || file === "") throw argumentTypeError(name, "a path or a file: URL", file);
  return resolve(file);
}

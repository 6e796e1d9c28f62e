/** Job modules: the functions that a file exports, as handles that run on a pool. */
import { withCode } from "@skein/context/errors";
import type { Task } from "@skein/scheduling";
import { type JobSource, jobSource } from "../jobs/job-source.ts";
import type { JobStream, JobStreamCall } from "../submit/job-stream.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";

/**
 * A job: call it, or pass it to `run`, `map`, `broadcast` or `fork`, of any pool. Arguments and result cross by value, as in
 * structured clone.
 */
export interface Job<A extends unknown[], R> {
  (...args: A): Task<Awaited<R>>;
  readonly [jobSource]: JobSource;
}

/** A job whose function is a generator: a call gives its results piece by piece, and can be iterated at once. Awaited, it is the same. */
export interface StreamJob<A extends unknown[], R> {
  (...args: A): StreamOf<R> extends JobStream<infer T, infer TReturn> ? JobStreamCall<T, TReturn> : never;
  readonly [jobSource]: JobSource;
}

/** What a function returns whose results come piece by piece. */
export type Streamed = AnyGenerator | PromiseLike<AnyGenerator>;

/** Takes a function for what it is: one that returns `any` or `never` streams nothing. */
export type OnlyStreamed<R> = Returns<R, AnyGenerator> extends true ? unknown : never;

/** The stream of a function that returns `R`. */
export type StreamOf<R> =
  Awaited<R> extends Generator<infer T, infer TReturn, never> | AsyncGenerator<infer T, infer TReturn, never>
    ? JobStream<T, TReturn>
    : never;

/** What it yields. */
export type ItemOf<R> =
  Awaited<R> extends Generator<infer T, unknown, never> | AsyncGenerator<infer T, unknown, never> ? T : never;

type AnyGenerator = Generator<unknown, unknown, never> | AsyncGenerator<unknown, unknown, never>;
type AnyFunction = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

/** Whether a function that returns `R` gives a `T`, at once or later. One that returns `any` or `never` does not. */
type Returns<R, T> = 0 extends 1 & R
  ? false
  : [Awaited<R>] extends [never]
    ? false
    : [Awaited<R>] extends [T]
      ? true
      : false;

/**
 * The functions of module `M` as jobs. There is no handle for what is not a function, nor for a function that returns functions: they
 * cannot leave their thread.
 */
export type JobModule<M> = {
  readonly [
    K in keyof M as M[K] extends (...args: never[]) => infer R
      ? Returns<R, AnyFunction> extends true
        ? never
        : K
      : never
  ]: M[K] extends (...args: infer A) => infer R
    ? Returns<R, AnyGenerator> extends true
      ? StreamJob<A, R>
      : Job<A, R>
    : never;
};

/** What TypeScript shows when a job of a module without a type is called. */
export type UntypedModule = "give the type of the module: module<typeof import('./name.jobs.ts')>(url)";

export const jobDefaults: unique symbol = Symbol.for("skein.job-defaults");

/** What a job is besides a function. */
export interface JobHandle extends Job<unknown[], unknown> {
  readonly [jobDefaults]: SubmitOptions;
}

/** Makes `call` a handle, which has the name of its export. */
export function jobHandle(
  call: (...args: unknown[]) => Task<unknown>,
  source: JobSource,
  defaults: SubmitOptions,
): JobHandle {
  define(call, "name", source.name);
  define(call, jobSource, source);
  define(call, jobDefaults, defaults);
  return call as JobHandle;
}

/**
 * The exports of a module as handles, made when they are first asked for. Whether there is such an export turns out in the thread: the
 * job then rejects with JobNotFoundError. So nothing can be enumerated here.
 */
export function createJobModule<M>(
  url: string,
  createJob: (source: JobSource) => Job<unknown[], unknown>,
): JobModule<M> {
  const handles = new Map<string | symbol, Job<unknown[], unknown>>();
  const answers = answersOf(`[JobModule ${url}]`);
  const refuse = (_: object, name: unknown): never => {
    throw readOnly(String(name));
  };
  const proxy = new Proxy(Object.create(answers) as object, {
    get(_, name) {
      const known = handles.get(name);
      if (known !== undefined) return known;
      if (typeof name === "symbol" || name in answers) return answers[name];
      if (asked.has(name)) return undefined;
      const handle = createJob({ url, name });
      handles.set(name, handle);
      return handle;
    },
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: () => refuse(answers, "__proto__"),
  });
  return proxy as JobModule<M>;
}

/**
 * What somebody who knows nothing of jobs asks of any object, and calls if it is a function: `await`, JSON, test runners that
 * compare and print. It must not start a job, so exports with these names, and with those below, have no handles.
 */
const asked: ReadonlySet<string> = new Set(["then", "asymmetricMatch", "hasAttribute", "nodeType"]);

/** As they were when this file was loaded. */
const objectMembers: readonly (readonly [string, unknown])[] = [
  "hasOwnProperty",
  "isPrototypeOf",
  "propertyIsEnumerable",
  "toLocaleString",
  "valueOf",
].map((name) => [name, Reflect.get(Object.prototype, name)]);

/** As in `node:util`. */
const inspect = Symbol.for("nodejs.util.inspect.custom");

/** Of every module: something to take the name from. */
const constructor = (): void => {};
define(constructor, "name", "JobModule");

/** What a module answers instead: with what it is. */
function answersOf(text: string): Record<string | symbol, unknown> {
  const answers = Object.create(null) as Record<string | symbol, unknown>;
  const say = (): string => text;
  for (const [name, value] of objectMembers) define(answers, name, value);
  for (const name of ["toString", "toJSON", Symbol.toPrimitive, inspect]) define(answers, name, say);
  define(answers, "constructor", constructor);
  define(answers, Symbol.toStringTag, "JobModule");
  define(answers, "__proto__", null);
  return answers;
}

function readOnly(name: string): TypeError {
  const error = new TypeError(
    `Cannot change \`${name}\` of a job module: its handles stand for what the module exports. ` +
      "Change the module itself, or put your own function where you use the handle",
  );
  return withCode(error, "ERR_SKEIN_READ_ONLY");
}

/** Whatever the object inherits; and not enumerable, so that a handle prints as a function. */
function define(target: object, name: string | symbol, value: unknown): void {
  const descriptor = Object.create(null) as PropertyDescriptor;
  descriptor.value = value;
  descriptor.configurable = true;
  Object.defineProperty(target, name, descriptor);
}

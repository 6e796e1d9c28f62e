/** The functions that jobs of this thread have named, by what they are: whoever submits one, it is the same here. */
import { JobNotFoundError } from "../errors.ts";
import { exportedFunction, exportedFunctions, type JobFunction } from "../jobs/exported-function.ts";
import { nameOf } from "../jobs/function-name.ts";
import { type FunctionSource, isOfEach, textOf } from "../jobs/function-source.ts";
import { isGeneratorFunction, isSyncGeneratorFunction } from "../jobs/generators.ts";
import { compileInline, explainFreeVariable } from "../jobs/inline-function.ts";
import type { JobSource } from "../jobs/job-source.ts";
import { eachOf } from "./each.ts";
import type { ModuleTable } from "./module-table.ts";

/** Of one thread. */
export const KEPT_FUNCTIONS = 4096;
const AsyncFunction = (async () => {}).constructor as new () => unknown;

/** A function that jobs of this thread have named. */
export class KnownFunction {
  readonly source: FunctionSource;
  /** Null until it is loaded. */
  fn: JobFunction | null = null;
  /** Whether it is known to return promises, or generators: it goes on when it has returned. */
  awaits = false;
  /** Whether it has returned something else, here, before: not proof that it always does, but the best there is. */
  returnsAtOnce = false;
  /** Whether it is a generator function of the kind whose steps do not await. */
  isSyncGenerator = false;

  /** As it is shown. */
  readonly name: string;

  constructor(source: FunctionSource) {
    this.source = source;
    this.name = nameOf(source);
  }

  /** A call of it would not be the end of it. */
  get needsEventLoop(): boolean {
    return this.fn === null || this.awaits;
  }

  loaded(fn: JobFunction): JobFunction {
    this.awaits = fn instanceof AsyncFunction || isGeneratorFunction(fn);
    const isEach = isOfEach(this.source);
    this.isSyncGenerator = !isEach && isSyncGeneratorFunction(fn);
    this.fn = isEach ? eachOf(fn, (error) => this.explain(error)) : fn;
    return this.fn;
  }

  /** An error on its way to the caller: says which variable an inline function lacks. */
  explain(error: unknown): unknown {
    return this.source.kind === "inline" ? explainFreeVariable(error, this.source.source) : error;
  }
}

export class KnownFunctions {
  /** By source, oldest first. */
  readonly #described = new Map<string, KnownFunction>();
  readonly #modules: ModuleTable;
  /** Of loaded modules, by URL and name. Read once: an export may be a getter, and none of those is called in the middle of dispatching. */
  readonly #functions = new Map<string, ReadonlyMap<string, JobFunction>>();
  readonly #exports = new WeakMap<object, JobSource>();

  constructor(modules: ModuleTable) {
    this.#modules = modules;
  }

  of(source: FunctionSource): KnownFunction {
    const key = textOf(source);
    let known = this.#described.get(key);
    if (known === undefined) {
      known = new KnownFunction(source);
      if (this.#described.size >= KEPT_FUNCTIONS)
        this.#described.delete(this.#described.keys().next().value!);
      this.#described.set(key, known);
    }
    return known;
  }

  /** Finds the function as far as that goes without waiting. @throws what compiling an inline function throws. */
  resolve(known: KnownFunction): void {
    const { source } = known;
    if (source.kind === "inline") {
      known.loaded(compileInline(source.source, source.from));
    } else {
      const fn = this.exported(source);
      if (fn !== undefined) known.loaded(fn);
    }
  }

  /** @throws what loading the module throws (module-table.ts), or JobNotFoundError. */
  async load(known: KnownFunction): Promise<JobFunction> {
    const { source } = known;
    if (source.kind === "inline")
      throw new Error("Assertion: inline functions are compiled when they are first seen");
    const module = await this.#modules.load(source.url);
    const functions = exportedFunctions(module);
    this.#functions.set(source.url, functions);
    for (const [name, fn] of functions) this.#exports.set(fn, { url: source.url, name });
    const fn = exportedFunction(module, source.name);
    if (fn !== undefined) return known.loaded(fn);
    throw new JobNotFoundError(source.url, source.name, [...functions.keys()]);
  }

  /** The function that a module exports under this name, if this thread has loaded it for a job. */
  readonly exported = ({ url, name }: JobSource): JobFunction | undefined =>
    this.#functions.get(url)?.get(name);

  /** Where a function was exported from, if it is one of a job module that this thread has loaded. */
  readonly lookUpExport = (fn: object): JobSource | undefined => this.#exports.get(fn);
}

/** Job functions of this thread by number. Their descriptions lie in the arena of whoever submits the job. */
import { JobNotFoundError } from "../errors.ts";
import { nameOf } from "../jobs/function-name.ts";
import { compileInline, explainFreeVariable } from "../jobs/inline-function.ts";
import { exportedFunction, exportedFunctions, type JobFunction } from "../jobs/exported-function.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { type FunctionDescription, type FunctionSource, textOf } from "../jobs/function-source.ts";
import { eachOf } from "./each.ts";
import type { ModuleTable } from "./module-table.ts";
import { RecentBySubmitter } from "./recent.ts";

/** Of each submitter. */
const KEPT_FUNCTIONS = 4096;
const AsyncFunction = (async () => {}).constructor as new () => unknown;

export type { JobFunction };

interface Export {
  readonly url: string;
  readonly name: string;
}

/** A function that jobs of this thread have named. */
export class KnownFunction {
  readonly source: FunctionSource;
  /** Null until it is loaded. */
  fn: JobFunction | null = null;
  /** Whether it is known to return promises. */
  awaits = false;
  /** Whether it has returned something else, here, before: not proof that it always does, but the best there is. */
  returnsAtOnce = false;

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
    this.awaits = fn instanceof AsyncFunction;
    this.fn = this.source.each === true ? eachOf(fn, (error) => this.explain(error)) : fn;
    return this.fn;
  }

  /** An error on its way to the caller: says which variable an inline function lacks. */
  explain(error: unknown): unknown {
    return this.source.kind === "inline" ? explainFreeVariable(error, this.source.source) : error;
  }
}

export class FunctionTable {
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  readonly #known = new RecentBySubmitter<KnownFunction>(KEPT_FUNCTIONS);
  /** By source, oldest first. */
  readonly #described = new Map<string, KnownFunction>();
  readonly #modules: ModuleTable;
  /** Of loaded modules, by URL and name. Read once: an export may be a getter, and none of those is called in the middle of dispatching. */
  readonly #functions = new Map<string, ReadonlyMap<string, JobFunction>>();
  readonly #exports = new WeakMap<object, Export>();
  /** What `of` gave last: most jobs of a thread name the same function as the one before. */
  #lastId = -1;
  #lastSerial = -1;
  #last: KnownFunction | null = null;

  constructor(memory: PoolMemory, arenas: Arenas, modules: ModuleTable) {
    this.#memory = memory;
    this.#arenas = arenas;
    this.#modules = modules;
  }

  /** The function that the job in `slot` names. Not loaded yet only if its module is not. */
  of(slot: number): KnownFunction {
    const id = this.#memory.slots.functionId(slot);
    const serial = this.#memory.submitterSerial(slot);
    if (id === this.#lastId && serial === this.#lastSerial) return this.#last!;
    let known = this.#known.get(serial, id);
    if (known === undefined)
      this.#known.set(serial, id, (known = this.#sharedBy(this.#describe(slot).source)));
    if (known.fn === null) this.#resolve(known);
    if (known.fn !== null) {
      this.#lastId = id;
      this.#lastSerial = serial;
      this.#last = known;
    }
    return known;
  }

  /** The same for a slot that is nobody's, which may change meanwhile: null when nothing reliable can be read. */
  peek(slot: number): KnownFunction | null {
    const id = this.#memory.slots.functionId(slot);
    const serial = this.#memory.submitterSerial(slot);
    const known = this.#known.get(serial, id);
    if (known !== undefined) return known;
    try {
      const description = this.#describe(slot);
      if (description.id !== id) return null;
      const met = this.#sharedBy(description.source);
      this.#known.set(serial, id, met);
      if (met.fn === null) this.#resolve(met);
      return met;
    } catch {
      // Half of one job and half of another, of a thread that has ended, or nothing that compiles: whoever claims it will see.
      return null;
    }
  }

  /** Whoever submits a function, it is the same here. */
  #sharedBy(source: FunctionSource): KnownFunction {
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

  /** As far as that goes without waiting. */
  #resolve(known: KnownFunction): void {
    const { source } = known;
    if (source.kind === "inline") {
      known.loaded(compileInline(source.source, source.from));
    } else {
      const fn = this.#functions.get(source.url)?.get(source.name);
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

  /** Where a function was exported from, if it is one of a job module that this thread has loaded. */
  readonly lookUpExport = (fn: object): Export | undefined => this.#exports.get(fn);

  /** The submitter with this serial has ended: another one may count from 0 again, and have its serial one day. */
  drop(serial: number): void {
    this.#known.drop(serial);
    this.#lastId = -1;
  }

  #describe(slot: number): FunctionDescription {
    const block = this.#memory.slots.functionBlock(slot);
    const text = this.#arenas.homeText(this.#memory.submitterSerial(slot), block);
    return JSON.parse(text) as FunctionDescription;
  }
}

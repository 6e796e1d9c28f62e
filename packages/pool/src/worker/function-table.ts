/** Job functions of this thread by number. Their descriptions lie in the arena of whoever submits the job. */
import { JobNotFoundError } from "../errors.ts";
import { compileInline, explainFreeVariable } from "../jobs/inline-function.ts";
import { loadJobModule } from "../jobs/load-module.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { FunctionSource } from "../submit/function-registry.ts";

const AsyncFunction = (async () => {}).constructor as new () => unknown;

export type JobFunction = (...args: unknown[]) => unknown;

/** Exported functions of loaded job modules, by identity: a job submits them by naming them. */
type ExportedFunctions = WeakMap<object, { readonly url: string; readonly name: string }>;

/** A function that jobs of this thread have named. */
export class KnownFunction {
  readonly source: FunctionSource;
  /** Null until it is loaded. */
  fn: JobFunction | null = null;
  /** Whether it is known to return promises. */
  awaits = false;
  readonly #exports: ExportedFunctions;
  #loading: Promise<JobFunction> | null = null;

  constructor(source: FunctionSource, exports: ExportedFunctions) {
    this.source = source;
    this.#exports = exports;
  }

  /** Loads a module once per thread; a failure is kept, as Node's own module cache does. */
  load(): Promise<JobFunction> {
    this.#loading ??= resolve(this.source, this.#exports).then((fn) => {
      this.awaits = fn instanceof AsyncFunction;
      return (this.fn = fn);
    });
    return this.#loading;
  }

  /** An error on its way to the caller: says which variable an inline function lacks. */
  explain(error: unknown): unknown {
    return this.source.kind === "inline" ? explainFreeVariable(error, this.source.source) : error;
  }
}

export class FunctionTable {
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  readonly #known = new Map<number, KnownFunction>();
  readonly #exports: ExportedFunctions = new WeakMap();

  constructor(memory: PoolMemory, arenas: Arenas) {
    this.#memory = memory;
    this.#arenas = arenas;
  }

  /** The function that the job in `slot` names. */
  of(slot: number): KnownFunction {
    const { slots } = this.#memory;
    const id = slots.functionId(slot);
    let known = this.#known.get(id);
    if (known === undefined) {
      known = new KnownFunction(this.#describe(slot), this.#exports);
      this.#known.set(id, known);
    }
    return known;
  }

  /** Where a function was exported from, if it is one of a job module that this thread has loaded. */
  exportOf(fn: object): { readonly url: string; readonly name: string } | undefined {
    return this.#exports.get(fn);
  }

  #describe(slot: number): FunctionSource {
    const { slots } = this.#memory;
    const block = slots.functionBlock(slot);
    const length = slots.functionLength(slot);
    const bytes = this.#arenas.bytes(this.#memory.submitterSerial(slot), block, length);
    return JSON.parse(Buffer.from(bytes.buffer, block * 8, length).toString("utf8")) as FunctionSource;
  }
}

async function resolve(source: FunctionSource, exports: ExportedFunctions): Promise<JobFunction> {
  if (source.kind === "inline") return compileInline(source.source);
  const module = (await loadJobModule(source.url)) as Record<string, unknown>;
  for (const [name, value] of Object.entries(module)) {
    if (typeof value === "function") exports.set(value, { url: source.url, name });
  }
  const fn = Object.hasOwn(module, source.name) ? module[source.name] : undefined;
  if (typeof fn === "function") return fn as JobFunction;
  const names = Object.keys(module).filter((name) => typeof module[name] === "function");
  throw new JobNotFoundError(source.url, source.name, names);
}

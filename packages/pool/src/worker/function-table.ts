/** Job functions of this thread by number. The host announces a number before the first slot names it. */
import { JobNotFoundError } from "../errors.ts";
import { compileInline, explainFreeVariable } from "../jobs/inline-function.ts";
import { loadJobModule } from "../jobs/load-module.ts";
import type { FunctionSource } from "../protocol.ts";

export type JobFunction = (...args: unknown[]) => unknown;

interface Entry {
  readonly source: FunctionSource;
  fn: JobFunction | null;
  loading: Promise<JobFunction> | null;
}

export class FunctionTable {
  readonly #entries = new Map<number, Entry>();
  readonly #takeMessages: () => void;

  /** @param takeMessages Takes in what the host has posted, without waiting. */
  constructor(takeMessages: () => void) {
    this.#takeMessages = takeMessages;
  }

  add(id: number, source: FunctionSource): void {
    this.#entries.set(id, { source, fn: null, loading: null });
  }

  /** The function if it is loaded; otherwise null, and `load` gets it. */
  get(id: number): JobFunction | null {
    return this.#entry(id).fn;
  }

  /** Loads a module once per thread; a failure is kept, as Node's own module cache does. */
  load(id: number): Promise<JobFunction> {
    const entry = this.#entry(id);
    entry.loading ??= resolve(entry.source).then((fn) => (entry.fn = fn));
    return entry.loading;
  }

  /** An error on its way to the caller: says which variable an inline function lacks. */
  explain(id: number, error: unknown): unknown {
    const { source } = this.#entry(id);
    return source.kind === "inline" ? explainFreeVariable(error, source.source) : error;
  }

  #entry(id: number): Entry {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      this.#takeMessages();
      entry = this.#entries.get(id);
      if (entry === undefined)
        throw new Error(`Assertion: function ${id} was never announced to this thread`);
    }
    return entry;
  }
}

async function resolve(source: FunctionSource): Promise<JobFunction> {
  if (source.kind === "inline") return compileInline(source.source);
  const module = (await loadJobModule(source.url)) as Record<string, unknown>;
  const fn = Object.hasOwn(module, source.name) ? module[source.name] : undefined;
  if (typeof fn === "function") return fn as JobFunction;
  const names = Object.keys(module).filter((name) => typeof module[name] === "function");
  throw new JobNotFoundError(source.url, source.name, names);
}

/**
 * The job modules of this thread, by URL.
 *
 * | state   | what a job of the module gets    | moves to                                                       |
 * |---------|----------------------------------|----------------------------------------------------------------|
 * | unknown | it waits: the module is imported | loaded; failed; stuck                                          |
 * | loaded  | its function is called           | -                                                              |
 * | failed  | as unknown                       | as unknown: Node kept nothing of the failure                   |
 * | stuck   | the error, at once               | unknown, on another thread: this one asks to be replaced       |
 * | refused | the error, at once               | -: the module runs jobs while it is loaded (module-loading.ts) |
 *
 * Node keeps the failure of a module that threw while it was evaluated, or that imports one that did, for as long as the thread lives.
 * It shows by a second import: the very same error comes back, and nothing ran. Such a thread takes no jobs until the host has answered.
 * As a rule it leaves, and the next job meets a thread that knows nothing of the failure; a module that fails again and again does not cost a
 * thread for each job (host/reload-limit.ts): then the thread stays a while, and is stuck.
 */
import { JobModuleError } from "../errors.ts";
import { loadJobModule } from "../jobs/load-module.ts";
import { isLoadingRefusal } from "../jobs/module-loading.ts";

export class ModuleTable {
  readonly #loaded = new Map<string, object>();
  readonly #loading = new Map<string, Promise<object>>();
  /** Stuck and refused. */
  readonly #errors = new Map<string, { readonly error: unknown }>();
  readonly #onStuck: (url: string) => void;
  readonly #load: (url: string) => Promise<object>;

  /**
   * @param onStuck Called before the jobs that wait for the module are told.
   * @param load For a table beside that of a pool thread: by that one.
   */
  constructor(onStuck: (url: string) => void, load: (url: string) => Promise<object> = loadJobModule) {
    this.#onStuck = onStuck;
    this.#load = load;
  }

  /** The namespace of the module. @throws as `loadJobModule`, and what evaluating the module throws. */
  async load(url: string): Promise<object> {
    const loaded = this.#loaded.get(url);
    if (loaded !== undefined) return loaded;
    const failure = this.#errors.get(url);
    if (failure !== undefined) throw failure.error;
    let loading = this.#loading.get(url);
    if (loading === undefined) this.#loading.set(url, (loading = this.#import(url)));
    return await loading;
  }

  async #import(url: string): Promise<object> {
    try {
      const module = await this.#importTwice(url);
      this.#loaded.set(url, module);
      return module;
    } finally {
      this.#loading.delete(url);
    }
  }

  async #importTwice(url: string): Promise<object> {
    try {
      return await this.#load(url);
    } catch (error) {
      if (isLoadingRefusal(error)) {
        this.#errors.set(url, { error });
        throw error;
      }
      return await this.#importAgain(url, error);
    }
  }

  /** Finds out whether Node has kept the failure. If it has not, this is as good an attempt as the first. */
  async #importAgain(url: string, before: unknown): Promise<object> {
    try {
      return await this.#load(url);
    } catch (error) {
      if (isSame(before, error)) {
        this.#errors.set(url, { error });
        this.#onStuck(url);
      }
      throw error;
    }
  }
}

/** Ours are made anew each time; what Node keeps is their cause then. */
function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof JobModuleError && b instanceof JobModuleError) return Object.is(a.cause, b.cause);
  return Object.is(a, b);
}

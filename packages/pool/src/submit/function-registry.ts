/**
 * Job functions by number. Their descriptions lie in the submitter's arena, named by every job: a thread that does not know the number
 * reads it there, without asking anybody.
 */
import { SkeinError } from "@skein/context/errors";
import { callingFile } from "../jobs/calling-file.ts";
import { inlineSource } from "../jobs/inline-function.ts";
import { sourceOfHandle } from "../jobs/job-source.ts";
import type { FunctionDescription, FunctionSource } from "../jobs/function-source.ts";
import type { Arena } from "../shared/arena.ts";

export interface FunctionEntry {
  /** Different from those of all other submitters. */
  readonly id: number;
  /** Where the description lies in the arena, and how long it is. */
  readonly block: number;
  readonly length: number;
  readonly source: FunctionSource;
}

const INDEX_BITS = 16;

export class FunctionRegistry {
  readonly #arena: Arena;
  readonly #serial: number;
  readonly #exports = new Map<string, Map<string, FunctionEntry>>();
  readonly #inline = new Map<string, FunctionEntry>();
  readonly #each = new Map<number, FunctionEntry>();
  readonly #functions = new WeakMap<object, FunctionEntry>();
  #count = 0;

  constructor(arena: Arena, serial: number) {
    this.#arena = arena;
    this.#serial = serial;
  }

  ofExport(url: string, name: string): FunctionEntry {
    let names = this.#exports.get(url);
    if (names === undefined) this.#exports.set(url, (names = new Map<string, FunctionEntry>()));
    let entry = names.get(name);
    if (entry === undefined) names.set(name, (entry = this.#add({ kind: "export", url, name })));
    return entry;
  }

  /**
   * A job handle stands for its export.
   * @param exportOf Where a function was exported from, if that is known; any other is shipped as its source.
   * @throws TypeError when it cannot be.
   */
  ofFunction(
    fn: (...args: never[]) => unknown,
    exportOf: (fn: object) => { readonly url: string; readonly name: string } | undefined,
  ): FunctionEntry {
    let entry = this.#functions.get(fn);
    if (entry === undefined) {
      const exported = sourceOfHandle(fn) ?? exportOf(fn);
      entry =
        exported === undefined
          ? this.#ofSource(inlineSource(fn), callingFile())
          : this.ofExport(exported.url, exported.name);
      this.#functions.set(fn, entry);
    }
    return entry;
  }

  /** The same function, for jobs of several items. */
  ofEach(entry: FunctionEntry): FunctionEntry {
    let each = this.#each.get(entry.id);
    if (each === undefined) this.#each.set(entry.id, (each = this.#add({ ...entry.source, each: true })));
    return each;
  }

  #ofSource(source: string, from: string | null): FunctionEntry {
    // The same text means something else in another folder.
    const key = `${from}\n${source}`;
    let entry = this.#inline.get(key);
    if (entry === undefined) this.#inline.set(key, (entry = this.#add({ kind: "inline", source, from })));
    return entry;
  }

  #add(source: FunctionSource): FunctionEntry {
    if (this.#count === 1 << INDEX_BITS) {
      throw new SkeinError(
        "ERR_SKEIN_TOO_MANY_FUNCTIONS",
        `One thread can submit ${1 << INDEX_BITS} different functions; pass what differs as arguments instead of making functions`,
      );
    }
    const id = (this.#serial << INDEX_BITS) | this.#count++;
    const description: FunctionDescription = { id, source };
    const bytes = Buffer.from(JSON.stringify(description), "utf8");
    const block = this.#arena.store(bytes, bytes.length);
    return { id, block, length: bytes.length, source };
  }
}

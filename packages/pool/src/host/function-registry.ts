/** Job functions by number: announced to every thread before the first job names one, and to new threads as they start. */
import { inlineSource } from "../jobs/inline-function.ts";
import type { FunctionSource } from "../protocol.ts";

export class FunctionRegistry {
  readonly #announce: (id: number, source: FunctionSource) => void;
  readonly #sources: FunctionSource[] = [];
  readonly #exports = new Map<string, Map<string, number>>();
  readonly #inline = new Map<string, number>();
  readonly #inlineFunctions = new WeakMap<object, number>();

  constructor(announce: (id: number, source: FunctionSource) => void) {
    this.#announce = announce;
  }

  idOfExport(url: string, name: string): number {
    let names = this.#exports.get(url);
    if (names === undefined) this.#exports.set(url, (names = new Map<string, number>()));
    let id = names.get(name);
    if (id === undefined) names.set(name, (id = this.#add({ kind: "export", url, name })));
    return id;
  }

  /** @throws TypeError when the function cannot be shipped as source. */
  idOfInline(fn: (...args: never[]) => unknown): number {
    let id = this.#inlineFunctions.get(fn);
    if (id === undefined) {
      const source = inlineSource(fn);
      id = this.#inline.get(source);
      if (id === undefined) this.#inline.set(source, (id = this.#add({ kind: "inline", source })));
      this.#inlineFunctions.set(fn, id);
    }
    return id;
  }

  entries(): Iterable<[id: number, source: FunctionSource]> {
    return this.#sources.entries();
  }

  #add(source: FunctionSource): number {
    const id = this.#sources.push(source) - 1;
    this.#announce(id, source);
    return id;
  }
}

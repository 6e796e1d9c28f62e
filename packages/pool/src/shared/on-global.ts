/**
 * What all copies of this package on a thread share, under a registered symbol on `globalThis`. A program may have frozen that: then each copy
 * is alone.
 */
import { define, hasOwnProperty } from "./intrinsics.ts";

export class OnGlobal<T> {
  readonly #key: symbol;
  /** Put there by this copy. */
  #own: T | undefined;

  constructor(name: string) {
    this.#key = Symbol.for(name);
  }

  /** Undefined: nobody has put anything there. */
  get value(): T | undefined {
    const holder = globalThis as { readonly [key: symbol]: T | undefined };
    return hasOwnProperty(holder, this.#key) ? holder[this.#key] : this.#own;
  }

  /** For good. @returns what is there now: of several the first. */
  put(value: T): T {
    const known = this.value;
    if (known !== undefined) return known;
    this.#own = value;
    define(globalThis, this.#key, value, false, false, false);
    return value;
  }
}

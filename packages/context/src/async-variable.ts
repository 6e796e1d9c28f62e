import { current, runWith } from "./ambient.ts";
import { matchAcrossCopies } from "./class-marks.ts";
import { absent } from "./context-key.ts";
import type { ContextKey } from "./context-key.ts";
import { argumentTypeError, requireFunction } from "./argument-errors.ts";
import { jsonCodec } from "./json-codec.ts";
import { ownOptions } from "./own-options.ts";
import type { OptionNames } from "./own-options.ts";

/** Options of an {@link AsyncVariable}. */
export interface AsyncVariableOptions<T> {
  /** For people who read a debugger. @default '' */
  name?: string | undefined;
  defaultValue?: T | undefined;
}

const optionNames: OptionNames<AsyncVariableOptions<unknown>> = { name: true, defaultValue: true };

/**
 * An ambient value in the shape of TC39's `AsyncContext.Variable`: no setter, only `run`. It lives in the same context as
 * the AsyncLocals and never leaves the thread. Unlike an AsyncLocal it can be `undefined` where it has a default.
 *
 * @see https://github.com/tc39/proposal-async-context
 */
export class AsyncVariable<T> {
  static {
    matchAcrossCopies(this, "AsyncVariable");
  }

  readonly #key: ContextKey;

  constructor(options?: AsyncVariableOptions<T>) {
    const { name = "", defaultValue } = ownOptions<AsyncVariableOptions<T>>(options, optionNames);
    if (typeof name !== "string") throw argumentTypeError("options.name", "a string", name);
    this.#key = {
      name,
      defaultValue,
      flow: "local",
      isStore: false,
      plainPrefix: undefined,
      encodedPrefix: undefined,
      codec: jsonCodec,
      onValueChanged: undefined,
    };
  }

  get name(): string {
    return this.#key.name ?? "";
  }

  /** The value of the innermost `run` around this flow, else the default. */
  get(): T | undefined {
    const value = current().lookup(this.#key);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- run put a T under this key.
    return (value === absent ? this.#key.defaultValue : value) as T | undefined;
  }

  /** Calls `fn` with this value. */
  run<R, A extends unknown[]>(value: T, fn: (...args: A) => R, ...args: A): R {
    requireFunction("fn", fn);
    return runWith(current().with(this.#key, value), fn, args);
  }
}

import { assign, current, runAssigned } from "./ambient.ts";
import { matchAcrossCopies } from "./class-marks.ts";
import type { ContextCodec, ContextFlow, ContextKey, ValueChange } from "./context-key.ts";
import { argumentTypeError, requireFunction } from "./argument-errors.ts";
import { claimName } from "./flowing-names.ts";
import { isWellFormed } from "./intrinsics.ts";
import { isolatedCodec } from "./isolated-codec.ts";
import { jsonCodec } from "./json-codec.ts";
import { ownOptions } from "./own-options.ts";
import type { OptionNames } from "./own-options.ts";
import { watchKey } from "./resource-run.ts";

/** Options of an {@link AsyncLocal}. */
export interface AsyncLocalOptions<T> {
  /** The identity across threads and machines, and the field name in logs. Required unless `flow` is `'local'`. */
  name?: string | undefined;
  /** What `value` reads where nothing is set. It does not travel. */
  defaultValue?: T | undefined;
  /**
   * How far the value goes: `'local'` stays on this thread, `'thread'` enters pool threads, `'wire'` goes to other
   * machines too. What flows is read as text when it leaves and shared by all who read it where it arrives: treat the
   * values as immutable.
   * @default 'local'
   */
  flow?: ContextFlow | undefined;
  /** How the value becomes text where it leaves the thread. @default JSON */
  codec?: ContextCodec<T> | undefined;
  /**
   * Called after the value changed: synchronously when it was set, and at the boundaries that Skein owns
   * (`ExecutionContext.run`, scopes, jobs, continuations of generator methods) when the context changed. Node changes the
   * context of native `await` and callbacks without telling anyone; those switches are not reported.
   *
   * Skein enters the empty context for steps of its own too, for instance to queue a continuation or to start a timer. Then it is called on
   * the way there and on the way back, on the caller's stack, and what it sets on the way back is the caller's value.
   *
   * What it throws reaches the setter; on a change of context it becomes an uncaught exception.
   */
  onValueChanged?: ((change: ValueChange<T>) => void) | undefined;
}

/**
 * A value that is ambient to one asynchronous flow: what is called, awaited or scheduled from here sees it.
 *
 * @example
 * const requestId = new AsyncLocal<string>({ name: 'request-id', flow: 'wire' });
 * requestId.run('r-1', async () => {
 *   await somethingSlow();
 *   requestId.value; // 'r-1', also inside pool jobs started from here
 * });
 * @see https://learn.microsoft.com/dotnet/api/system.threading.asynclocal-1
 */
export class AsyncLocal<T> {
  static {
    matchAcrossCopies(this, "AsyncLocal");
  }

  readonly #key: ContextKey;

  /**
   * @throws TypeError if an option has the wrong type, or `flow` is not `'local'` and there is no `name`.
   * @throws DuplicateNameError if a live local or a `flow` of this thread has the same name. A local that another copy of this
   * package made, because a bundle has both, is the same local: it has the same value.
   */
  constructor(options?: AsyncLocalOptions<T>) {
    const own = resolveKey(options);
    this.#key = own.flow === "local" || own.name === undefined ? own : claimName(own.name, own, this);
    if (own.onValueChanged !== undefined) watchKey(this.#key);
  }

  get name(): string | undefined {
    return this.#key.name;
  }

  get flow(): ContextFlow {
    return this.#key.flow;
  }

  /**
   * The value in the current context, else the default.
   *
   * A set makes a new context current and leaves captured ones as they are. `undefined` removes the value, so that the
   * default reads again. Setting what is set already (`Object.is`) does nothing.
   *
   * A set stays inside `ExecutionContext.run`, `isolate`, {@link AsyncLocal.run}, jobs and generator methods. It does leave
   * a plain function, and also a native `async` function that sets before its first `await`, because Node calls that part
   * on the caller's own stack. Prefer `run`, or call such a function through `ExecutionContext.isolate`.
   *
   * @throws InvalidCarrierError on the first read of a value from another thread that the codec refuses.
   */
  get value(): T | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the setter put a T under this key.
    return current().read(this.#key) as T | undefined;
  }

  set value(value: T | undefined) {
    assign(this.#key, value);
  }

  /**
   * Calls `fn` with this value, then puts back the caller's context: nothing that `fn` set stays. A handler hears a set on
   * the way in and a change of context on the way out.
   */
  run<R, A extends unknown[]>(value: T, fn: (...args: A) => R, ...args: A): R {
    requireFunction("fn", fn);
    return runAssigned(this.#key, value, fn, args);
  }
}

const optionNames: OptionNames<AsyncLocalOptions<unknown>> = {
  name: true,
  defaultValue: true,
  flow: true,
  codec: true,
  onValueChanged: true,
};

function resolveKey<T>(options: AsyncLocalOptions<T> | undefined): ContextKey {
  const {
    name,
    defaultValue,
    flow = "local",
    codec = jsonCodec,
    onValueChanged,
  } = ownOptions(options, optionNames);
  if (flow !== "local" && flow !== "thread" && flow !== "wire") {
    throw argumentTypeError("options.flow", "'local', 'thread' or 'wire'", flow);
  }
  if (name !== undefined && typeof name !== "string")
    throw argumentTypeError("options.name", "a string", name);
  if (flow !== "local" && (name === undefined || name === "")) {
    throw argumentTypeError("options.name", `a name, because the value flows ('${flow}')`, name);
  }
  if (flow !== "local" && !isWellFormed(name!))
    throw argumentTypeError("options.name", "a string without lone surrogates", name);
  if (onValueChanged !== undefined) requireFunction("options.onValueChanged", onValueChanged);
  return {
    name,
    defaultValue,
    flow,
    isStore: false,
    plainPrefix: undefined,
    encodedPrefix: undefined,
    codec: isolatedCodec("options.codec", codec),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only values of this local, which are T, reach its handler.
    onValueChanged: onValueChanged as ContextKey["onValueChanged"],
  };
}

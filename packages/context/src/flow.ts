import { AsyncLocalStorage } from "node:async_hooks";
import { argumentTypeError, requireFunction } from "./argument-errors.ts";
import { AsyncScope } from "./async-scope.ts";
import type { CarrierReach } from "./carrier-text.ts";
import { isolatedCodec } from "./isolated-codec.ts";
import type { ContextCodec } from "./context-key.ts";
import { apply, is, isWellFormed } from "./intrinsics.ts";
import { jsonCodec } from "./json-codec.ts";
import { ownOptions } from "./own-options.ts";
import type { OptionNames } from "./own-options.ts";
import { addFlow, isolatedCapture, removeFlow } from "./registered-flows.ts";

/** Options of {@link flow} for an AsyncLocalStorage. */
export interface FlowOptions<T> {
  /** The identity across threads and machines. */
  name: string;
  /** `'thread'` enters pool threads, `'wire'` goes to other machines too. @default 'thread' */
  reach?: CarrierReach | undefined;
  /** How a store becomes text where it leaves the thread. JSON knows no Map and no class. @default JSON */
  codec?: ContextCodec<T> | undefined;
  /**
   * Stores are changed in place, as the Map of a framework is: each is encoded anew for each job or message, and each job has a copy of its
   * own. Otherwise a store is encoded once while it is one of the last thousand that were sent, and jobs that come from the same one share
   * what arrives.
   * @default false
   */
  mutable?: boolean | undefined;
  /**
   * What becomes of an error of `capture`, `enter` or the codec: it is the caller's, who submits or sends, or the job's, which then does not
   * begin; or the value is left out, also one that alone is larger than a carrier.
   * @default 'reject'
   */
  onError?: "reject" | "ignore" | undefined;
}

/** Options of {@link flow} for anything ambient that is not an AsyncLocalStorage, or should not travel whole. */
export interface CustomFlowOptions<T> extends FlowOptions<T> {
  /** What travels from here; undefined: nothing. Give the same object as long as it means the same: it is encoded once. */
  capture: () => T | undefined;
  /** Has to call `fn` once, with the value in place, before it returns. What `fn` returned counts, not what this does. */
  enter: <R>(value: T, fn: () => R) => R;
}

const flowOptionNames: OptionNames<FlowOptions<unknown>> = {
  name: true,
  reach: true,
  codec: true,
  mutable: true,
  onError: true,
};
const customOptionNames: OptionNames<CustomFlowOptions<unknown>> = {
  ...flowOptionNames,
  capture: true,
  enter: true,
};

/**
 * Makes a storage that is not ours flow as an AsyncLocal does: its store is read where a job is submitted or forked, an item pushed to
 * another thread, or `toCarrier` called, and is there in the job, after each of its awaits, and in what it submits. The next job on that
 * thread has nothing of it. Not read while flow is suppressed, nor for `flowContext: false`. The `defaultValue` of a storage stays, unless
 * it is `mutable`.
 *
 * Registered for this thread: do so in a module that both sides load, or in `initialize`. A thread that does not know the name
 * passes the value on. While none is registered, it costs nothing; then a read of each storage for each job.
 *
 * @example
 * // request-store.ts, imported by the server and by its job modules
 * export const store = new AsyncLocalStorage<{ user: string }>();
 * flow(store, { name: "request" });
 * @returns what ends the registration, for those who come later.
 * @throws TypeError if an option is missing, unknown or has the wrong type.
 * @throws DuplicateNameError if a flow or an AsyncLocal of this thread flows under this name.
 */
export function flow<T>(
  storage: Pick<AsyncLocalStorage<T>, "getStore" | "run">,
  options: FlowOptions<T>,
): Disposable;
export function flow<T>(options: CustomFlowOptions<T>): Disposable;
export function flow(
  first: Pick<AsyncLocalStorage<unknown>, "getStore" | "run"> | CustomFlowOptions<unknown>,
  second?: FlowOptions<unknown>,
): Disposable {
  return second !== undefined || isStorage(first) ? ofStorage(first, second) : ofCustom(first);
}

function ofStorage(storage: unknown, options: FlowOptions<unknown> | undefined): Disposable {
  if (!isStorage(storage)) throw argumentTypeError("storage", "an AsyncLocalStorage", storage);
  const own = ownOptions(options, flowOptionNames);
  const fallback = own.mutable === true ? undefined : defaultOf(storage);
  return register(
    own,
    () => {
      const store = storage.getStore();
      return is(store, fallback) ? undefined : store;
    },
    (store, fn) => storage.run(store, fn),
    isNodes(storage) ? (store) => apply(enterWith, storage, [store]) : null,
  );
}

/**
 * What is there where nobody entered a store does not travel: each thread has its own, as of an AsyncLocal. One that is changed in place
 * does, since jobs that share the thread's would see what others did to it.
 */
function defaultOf(storage: Pick<AsyncLocalStorage<unknown>, "getStore" | "run">): unknown {
  return isNodes(storage) ? AsyncScope.root.run(() => storage.getStore()) : undefined;
}

// oxlint-disable-next-line typescript/unbound-method -- as they were when this module was loaded, and applied to a storage
const { run, enterWith } = AsyncLocalStorage.prototype;

/** Whether it does what Node's does: a subclass may do more when it is entered. */
function isNodes(storage: Pick<AsyncLocalStorage<unknown>, "run">): boolean {
  // oxlint-disable-next-line typescript/unbound-method -- compared
  return storage instanceof AsyncLocalStorage && storage.run === run;
}

function ofCustom(options: CustomFlowOptions<unknown>): Disposable {
  const own = ownOptions(options, customOptionNames);
  const { capture, enter } = own;
  requireFunction("options.capture", capture);
  requireFunction("options.enter", enter);
  return register(own, isolatedCapture(capture!), enter!, null);
}

function isStorage(value: unknown): value is Pick<AsyncLocalStorage<unknown>, "getStore" | "run"> {
  if (typeof value !== "object" || value === null) return false;
  const { getStore, run } = value as Readonly<Record<string, unknown>>;
  return typeof getStore === "function" && typeof run === "function";
}

function register(
  options: Readonly<Partial<FlowOptions<unknown>>>,
  capture: () => unknown,
  enter: (value: unknown, fn: () => unknown) => unknown,
  enterHere: ((value: unknown) => void) | null,
): Disposable {
  const { name, reach = "thread", codec = jsonCodec, mutable = false, onError = "reject" } = options;
  if (typeof name !== "string" || name === "") throw argumentTypeError("options.name", "a name", name);
  if (!isWellFormed(name)) throw argumentTypeError("options.name", "a string without lone surrogates", name);
  if (reach !== "thread" && reach !== "wire")
    throw argumentTypeError("options.reach", "'thread' or 'wire'", reach);
  if (typeof mutable !== "boolean") throw argumentTypeError("options.mutable", "a boolean", mutable);
  if (onError !== "reject" && onError !== "ignore")
    throw argumentTypeError("options.onError", "'reject' or 'ignore'", onError);
  const added = addFlow({
    name,
    key: {
      name,
      defaultValue: undefined,
      flow: reach,
      isStore: true,
      codec: isolatedCodec("options.codec", codec),
      plainPrefix: undefined,
      encodedPrefix: undefined,
      onValueChanged: undefined,
    },
    capture,
    enter,
    enterHere,
    isMutable: mutable,
    ignoresErrors: onError === "ignore",
  });
  return {
    [Symbol.dispose]() {
      removeFlow(added);
    },
  };
}

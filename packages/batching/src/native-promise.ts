/**
 * Promises as V8 makes them, whatever a program has put in place of `then` since this module was loaded, or of the class, which is taken from an
 * async function, before.
 */
const Promise = (async () => {})().constructor as PromiseConstructor;
// oxlint-disable-next-line typescript/unbound-method -- applied to the promise in question below
const { then } = Promise.prototype;
const resolve = Promise.resolve.bind(Promise);
const { apply } = Reflect;

/** For what is to run in a microtask, by `whenSettled`: costs less than queueMicrotask, which makes a resource for async_hooks. */
export const settled: Promise<void> = resolve();

/** Calls one of both, once, in a microtask. A foreign thenable, which may call back as often as it likes, is wrapped first. */
export function whenSettled<T>(
  promise: PromiseLike<T>,
  onFulfilled: (value: T) => void,
  onRejected?: (error: unknown) => void,
): void {
  void apply(then, resolve(promise), [onFulfilled, onRejected]);
}

/** Functions too, as for `await`: some remote objects are. Not asked by `in`, for which such a Proxy has no trap. */
export function isThenable(value: unknown): value is PromiseLike<void> {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  return typeof (value as { then?: unknown }).then === "function";
}

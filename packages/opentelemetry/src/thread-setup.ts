/** What a thread without an SDK needs of one: a context manager. */
import { AsyncLocalStorage } from "node:async_hooks";
import { isMainThread } from "node:worker_threads";
import { type Context, context, type ContextManager, ROOT_CONTEXT } from "@opentelemetry/api";

class StorageContextManager implements ContextManager {
  /** Named as in the manager of OpenTelemetry: see context-storage.ts. */
  readonly _asyncLocalStorage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this._asyncLocalStorage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const called = thisArg === undefined || thisArg === null ? fn : fn.bind(thisArg);
    return this._asyncLocalStorage.run(active, called as never, ...args);
  }

  /** Functions alone: emitters are bound by auto-instrumentation, which brings an SDK. */
  bind<T>(active: Context, target: T): T {
    if (typeof target !== "function") return target;
    const bound = (...args: unknown[]): unknown =>
      this._asyncLocalStorage.run(active, target as never, ...args);
    return bound as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this._asyncLocalStorage.disable();
    return this;
  }
}

/** There in the threads and processes of pools: see pool/src/jobs/pool-thread.ts. */
const generationKey = Symbol.for("skein.pool.generation");

/** Whether jobs run here, and not a program, which sets up its SDK when it likes: also the main thread of a process of a pool. */
export function isOfPool(): boolean {
  return !isMainThread || generationKey in globalThis;
}

/** Changes nothing where contexts become active already. */
export function setUpThread(): void {
  const probe = ROOT_CONTEXT.setValue(Symbol("probe"), true);
  if (context.with(probe, () => context.active()) === probe) return;
  context.setGlobalContextManager(new StorageContextManager());
}

/**
 * What other code does to a process: test runners, polyfills, hardening, instrumentation. Each is put up on the main thread or on a
 * pool thread, and stays. One that pretends about time returns how to advance it.
 */
import { EventEmitter } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import * as nodeTimers from "node:timers";

/** What a setup gives back: fake time moves on, and the setup can be taken down. */
export interface Raised {
  readonly advance?: (ms: number) => void;
  readonly undo?: () => void;
}

type Setup = () => Raised | void | Promise<Raised | void>;

const global = globalThis as unknown as Record<string, unknown>;

function define(target: object, name: PropertyKey, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, {
    __proto__: null,
    value,
    configurable: true,
    writable: true,
    enumerable: before?.enumerable ?? false,
  } as PropertyDescriptor);
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, before);
  };
}

/** Timers that fire only when somebody says so. */
function fakeTimers(targets: readonly object[], faked: readonly string[]): Raised {
  let now = 0;
  let ids = 0;
  const waiting = new Map<number, { at: number; every: number | null; call: () => void }>();
  const start =
    (repeats: boolean) =>
    (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): object => {
      const id = ++ids;
      waiting.set(id, { at: now + ms, every: repeats ? ms : null, call: () => callback(...args) });
      const timer = { id, ref: () => timer, unref: () => timer, hasRef: () => true, refresh: () => timer };
      return timer;
    };
  const stop = (timer?: { id: number }): void => void waiting.delete(timer?.id ?? 0);
  const realDate = Date;
  class FakeDate extends realDate {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(now);
      else super(...(args as [number]));
    }
    static override now(): number {
      return now;
    }
  }
  const fakes: Record<string, unknown> = {
    setTimeout: start(false),
    setInterval: start(true),
    clearTimeout: stop,
    clearInterval: stop,
    setImmediate: (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
      start(false)(callback, 0, ...args),
    clearImmediate: stop,
    queueMicrotask: (callback: () => void) => start(false)(callback),
    Date: FakeDate,
  };
  const undos: (() => void)[] = [];
  for (const target of targets) {
    for (const name of faked)
      if (name in fakes && name in target) undos.push(define(target, name, fakes[name]));
  }
  if (faked.includes("performance")) {
    undos.push(define(performance, "now", () => now));
    undos.push(
      define(
        process,
        "hrtime",
        Object.assign(() => [0, now * 1e6], { bigint: () => BigInt(now * 1e6) }),
      ),
    );
  }
  return {
    advance: (ms) => {
      const end = now + ms;
      for (;;) {
        const due = [...waiting]
          .filter(([, timer]) => timer.at <= end)
          .toSorted((a, b) => a[1].at - b[1].at)[0];
        if (due === undefined) break;
        const [id, timer] = due;
        now = Math.max(now, timer.at);
        if (timer.every === null) waiting.delete(id);
        else timer.at = now + Math.max(1, timer.every);
        timer.call();
      }
      now = end;
    },
    undo: () => {
      for (const undo of undos) undo();
    },
  };
}

const CALLBACKS = [
  "setTimeout",
  "setInterval",
  "clearTimeout",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
];
const EVERYTHING = [...CALLBACKS, "queueMicrotask", "Date", "performance"];

/** As in jsdom: timers are numbers, without `unref`. */
function numericTimers(): void {
  const timers = new Map<number, NodeJS.Timeout>();
  let ids = 0;
  for (const [setName, clearName] of [
    ["setTimeout", "clearTimeout"],
    ["setInterval", "clearInterval"],
  ] as const) {
    const set = globalThis[setName] as unknown as (...args: unknown[]) => NodeJS.Timeout;
    const clear = globalThis[clearName];
    global[setName] = (...args: unknown[]) => (timers.set(++ids, set(...args)), ids);
    global[clearName] = (id: number) => clear(timers.get(id));
  }
  for (const name of ["setImmediate", "clearImmediate"]) Reflect.deleteProperty(globalThis, name);
}

function formatter(prepare: unknown): Setup {
  return () => define(Error, "prepareStackTrace", prepare) as unknown as void;
}

function stackLimit(descriptor: PropertyDescriptor): Setup {
  return () => {
    Object.defineProperty(Error, "stackTraceLimit", descriptor);
  };
}

const prototypeOfAll: object = Object.prototype;
function polluted(entries: Record<string, unknown>): Setup {
  return () => {
    for (const [name, value] of Object.entries(entries)) {
      const property = { __proto__: null, value, configurable: true, writable: true, enumerable: true };
      Object.defineProperty(prototypeOfAll, name, property as PropertyDescriptor);
    }
  };
}

function frozen(...objects: object[]): Setup {
  return () => {
    for (const object of objects) Object.freeze(object);
  };
}

/** What SES lockdown does: everything that can be reached from the intrinsics. */
function freezeAll(): void {
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value))
      return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
      const descriptor = Object.getOwnPropertyDescriptor(value, key)!;
      for (const part of ["value", "get", "set"] as const) visit(descriptor[part]);
    }
    visit(Object.getPrototypeOf(value));
    if (!ArrayBuffer.isView(value)) Object.freeze(value);
  };
  const names =
    "Object Array Function Error TypeError RangeError AggregateError Promise Map Set WeakMap WeakSet WeakRef Symbol String Number Boolean BigInt Date RegExp " +
    "JSON Math Reflect Proxy ArrayBuffer SharedArrayBuffer DataView Uint8Array Int32Array Float64Array Atomics";
  for (const name of names.split(" ")) visit(global[name]);
  visit(Object.getPrototypeOf(async () => {}));
  visit(Object.getPrototypeOf(function* () {}));
  visit(Object.getPrototypeOf(async function* () {}));
  visit(Object.getPrototypeOf([][Symbol.iterator]()));
}

/** A copy of the web's classes in plain JavaScript, as polyfills and jsdom have them: not the ones of Node. */
function replaceAbortController(): void {
  const Event = globalThis.Event;
  class AbortSignal extends EventTarget {
    aborted = false;
    reason: unknown = undefined;
    onabort: unknown = null;
    throwIfAborted(): void {
      if (this.aborted) throw this.reason;
    }
  }
  class AbortController {
    readonly signal = new AbortSignal();
    abort(reason: unknown = new DOMException("This operation was aborted", "AbortError")): void {
      if (this.signal.aborted) return;
      this.signal.aborted = true;
      this.signal.reason = reason;
      this.signal.dispatchEvent(new Event("abort"));
    }
  }
  global["AbortSignal"] = AbortSignal;
  global["AbortController"] = AbortController;
}

/** As jsdom does, where it is older than `URL.canParse`. */
function replaceURL(): void {
  const Native = URL;
  class URLOfWindow {
    readonly #url: URL;
    constructor(url: string, base?: string) {
      this.#url = new Native(url, base);
    }
    get href(): string {
      return this.#url.href;
    }
    get protocol(): string {
      return this.#url.protocol;
    }
  }
  global["URL"] = URLOfWindow;
}

/** As Bluebird and zone.js do: no subclass, and without what is new. */
function replacePromise(): void {
  const Native = Promise;
  type Executor = ConstructorParameters<typeof Promise<unknown>>[0];
  class LibraryPromise {
    readonly #promise: Promise<unknown>;
    constructor(executor: Executor) {
      this.#promise = new Native(executor);
    }
    // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
    then(onFulfilled?: () => unknown, onRejected?: () => unknown): LibraryPromise {
      return LibraryPromise.resolve(this.#promise.then(onFulfilled, onRejected));
    }
    static resolve(value: unknown): LibraryPromise {
      return new LibraryPromise((resolve) => resolve(value));
    }
  }
  global["Promise"] = LibraryPromise;
}

function wrapThen(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called on the promise below
  const { then } = Promise.prototype;
  // oxlint-disable-next-line no-extend-native, unicorn/no-thenable -- that is the surrounding
  Promise.prototype.then = function (onFulfilled, onRejected) {
    const wrap = <F>(fn: F): F =>
      typeof fn === "function" ? (((value: unknown) => (fn as (v: unknown) => unknown)(value)) as F) : fn;
    return then.call(this, wrap(onFulfilled), wrap(onRejected)) as never;
  };
}

/** As bundles for browsers bring it along: the package `process`. */
function replaceProcess(): void {
  const { env } = process;
  const nextTick = process.nextTick.bind(process);
  const self = { title: "browser", browser: true, env, nextTick, argv: [], version: "", versions: {} };
  global["process"] = Object.assign(self, {
    on: () => self,
    once: () => self,
    off: () => self,
    cwd: () => "/",
  });
}

function refuse(target: object, name: PropertyKey): void {
  define(target, name, () => {
    throw new Error(`${String(name)} was called`);
  });
}

/** What a process of a test runner or a bundler may lack. */
function without(...names: string[]): Setup {
  return () => {
    for (const name of names) Reflect.deleteProperty(globalThis, name);
  };
}

export const setups: Readonly<Record<string, Setup>> = {
  "fake timers: all of them": () => fakeTimers([globalThis], EVERYTHING),
  "fake timers: setImmediate alone": () => fakeTimers([globalThis], ["setImmediate", "clearImmediate"]),
  "fake timers: node:timers too": () => {
    const builtin = process.getBuiltinModule("node:timers");
    const raised = fakeTimers([globalThis, builtin], EVERYTHING);
    syncBuiltinESMExports();
    return {
      advance: raised.advance!,
      undo: () => {
        raised.undo!();
        syncBuiltinESMExports();
      },
    };
  },
  "fake timers: process.nextTick": () => {
    const nextTick = process.nextTick.bind(process);
    const queue: (() => void)[] = [];
    return {
      advance: () => {
        for (const call of queue.splice(0)) call();
      },
      // Node itself lives on it: what it asks for is let through, what programs ask for waits.
      undo: define(process, "nextTick", (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
        const caller = String(new Error("caller").stack).split("\n")[2] ?? "";
        if (caller.includes("node:")) nextTick(() => callback(...args));
        else queue.push(() => callback(...args));
      }),
    };
  },
  "mock.timers of node:test": async () => {
    const { mock } = await import("node:test");
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"] });
    return { advance: (ms) => mock.timers.tick(ms), undo: () => mock.timers.reset() };
  },
  "timers are numbers": numericTimers,

  "prepareStackTrace returns call sites": formatter((_: unknown, sites: unknown) => sites),
  "prepareStackTrace returns nothing": formatter(() => undefined),
  "prepareStackTrace returns a number": formatter(() => 7),
  "prepareStackTrace returns null": formatter(() => null),
  "prepareStackTrace throws": formatter(() => {
    throw new Error("no stack for you");
  }),
  "prepareStackTrace is no function": formatter("odd"),

  "stackTraceLimit is read-only": stackLimit({ value: 10, writable: false, configurable: true }),
  "stackTraceLimit is 0": stackLimit({ value: 0, writable: true, configurable: true }),
  "stackTraceLimit is gone": () => void Reflect.deleteProperty(Error, "stackTraceLimit"),
  "stackTraceLimit is no number": stackLimit({ value: "many", writable: true, configurable: true }),
  "stackTraceLimit refuses to be set": stackLimit({
    configurable: true,
    get: () => 10,
    set: () => {
      throw new Error("not to be set");
    },
  }),
  "captureStackTrace is gone": () => void Reflect.deleteProperty(Error, "captureStackTrace"),

  "Error is frozen": frozen(Error, Error.prototype),
  "Object.prototype is frozen": frozen(Object.prototype),
  "Array.prototype is frozen": frozen(Array.prototype),
  "Function.prototype is frozen": frozen(Function.prototype),
  "globalThis is frozen": frozen(globalThis),
  "Promise and Map are frozen": frozen(Promise, Promise.prototype, Map.prototype, Set.prototype),
  "all intrinsics are frozen": freezeAll,

  "Object.prototype has options of Worker": polluted({
    resourceLimits: { maxOldGenerationSizeMb: 1 },
    maxOldGenerationSizeMb: 1,
    execArgv: ["--no-such-flag"],
    env: { POLLUTED: "1" },
    argv: ["polluted"],
    workerData: "polluted",
    eval: true,
    stdout: true,
    stdin: true,
    trackUnmanagedFds: "x",
    name: "polluted",
    type: "classic",
  }),
  "Object.prototype has options of ours": polluted({
    timeoutMs: 1,
    retries: 7,
    onProgress: "polluted",
    onCancel: "terminate",
    graceMs: "x",
    priority: "urgent",
    continuations: "never",
    transfer: "polluted",
    flowContext: "no",
    concurrency: -1,
    chunkSize: -1,
    ordered: "x",
    drain: "x",
    maxThreads: -1,
    minThreads: -1,
    initialize: "polluted",
    trace: "/no/such/folder/trace.json",
    flow: "polluted",
    codec: "polluted",
    defaultValue: "polluted",
    suppressThrowing: true,
    policy: "never",
    cause: "polluted",
  }),
  "Object.prototype has names of what crosses": polluted({
    each: true,
    as: "polluted",
    thrown: "polluted",
    job: "polluted",
    detail: "polluted",
    pid: 1,
    limit: "polluted",
    bytesOnly: true,
    isRemote: true,
    received: "polluted",
    streams: "polluted",
  }),
  "Object.prototype has value": polluted({ value: "polluted" }),
  "Object.prototype has writable and configurable": polluted({ writable: true, configurable: true }),
  "Object.prototype has then, which is no function": polluted({ then: "polluted", catch: 1, done: true }),
  "Object.prototype has toJSON": polluted({ toJSON: () => "polluted" }),
  "Object.prototype has names of messages": polluted({
    kind: "polluted",
    type: "polluted",
    code: "POLLUTED",
    url: "polluted",
    once: true,
    passive: true,
  }),
  "Array.prototype has toJSON": () => void define(Array.prototype, "toJSON", () => "polluted"),
  "Array.prototype has an enumerable extra": () => {
    (Array.prototype as unknown as Record<string, unknown>)["last"] = "polluted";
  },

  "Promise.prototype.then is wrapped": wrapThen,
  "Promise is another class": replacePromise,
  "the iterator of arrays is a generator": () => {
    // oxlint-disable-next-line no-extend-native -- that is the surrounding
    Array.prototype[Symbol.iterator] = function* values(this: unknown[]): Generator {
      for (let i = 0; i < this.length; i++) yield this[i];
    } as never;
  },
  "process.emitWarning throws": () => refuse(process, "emitWarning"),
  "console throws": () => {
    for (const name of ["log", "error", "warn", "info", "debug"]) refuse(console, name);
  },
  "AbortController is another class": replaceAbortController,
  "URL is another class": replaceURL,
  "process is another object": replaceProcess,
  "crypto and streams are gone": without("crypto", "ReadableStream", "WritableStream", "TransformStream"),
  "structuredClone goes through JSON": () => {
    global["structuredClone"] = (value: unknown) => JSON.parse(JSON.stringify(value));
  },
  "the source of functions is hidden": () =>
    void define(Function.prototype, "toString", () => "function () { [native code] }"),
  "Math.random is constant": () => void define(Math, "random", () => 0.5),
  "structuredClone, performance, queueMicrotask are gone": without(
    "structuredClone",
    "performance",
    "queueMicrotask",
  ),
  "MessageChannel and TextDecoder are gone": without("MessageChannel", "TextDecoder", "TextEncoder"),
  "listeners are few, rejections captured": () => {
    EventEmitter.defaultMaxListeners = 1;
    EventEmitter.captureRejections = true;
  },
};

/** Between the names of setups that are put up together. */
export const AND = " + ";

/** @param names One setup, or several with AND between them; of these none pretends about time. */
export async function putUp(names: string): Promise<Raised | undefined> {
  let raised: Raised | undefined;
  for (const name of names.split(AND)) raised = (await setups[name]!()) ?? undefined;
  return raised;
}

/** The timers as they were before any setup. */
export const real = {
  setTimeout: nodeTimers.setTimeout,
  clearTimeout: nodeTimers.clearTimeout,
  setImmediate: nodeTimers.setImmediate,
};

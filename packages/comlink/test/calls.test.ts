import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners, once } from "node:events";
import { inspect } from "node:util";
import { MessageChannel, type MessagePort, Worker, type WorkerOptions } from "node:worker_threads";
import { AsyncLocal, ExecutionContext } from "@skein/context";
import { registerError, ThreadCrashedError } from "@skein/pool";
import { CallState } from "@skein/pool/engine";
import {
  CancellationTokenSource,
  ObjectDisposedError,
  OperationCanceledError,
  TimeoutError,
} from "@skein/scheduling";
import * as Plain from "comlink";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { UncaughtErrors } from "../../pool/test/uncaught.ts";
import {
  expose,
  proxy,
  release,
  releaseProxy,
  type Remote,
  transfer,
  withOptions,
  wrap,
} from "../src/index.ts";
import type { Root } from "./fixtures/calls.thread.ts";

class HttpError extends Error {
  declare readonly status: number;
}
registerError(HttpError);

const file = new URL("./fixtures/calls.thread.ts", import.meta.url);
const requestId = new AsyncLocal<string>({ name: "requestId", flow: "thread" });
const foreign = new AsyncLocalStorage<string>();
const workers: Worker[] = [];

function start(options?: WorkerOptions): { worker: Worker; remote: Remote<Root> } {
  const worker = new Worker(file, options);
  workers.push(worker);
  return { worker, remote: wrap<Root>(worker) };
}
const { worker: ofAll, remote } = start();
afterAll(() => Promise.all(workers.map((worker) => worker.terminate())));

/** A proxy of its own, over a port. */
async function connected(): Promise<{ port: MessagePort; own: Remote<Root> }> {
  const { port1, port2 } = new MessageChannel();
  await remote.exposeOn(transfer(port2, [port2 as never]) as never);
  return { port: port1, own: wrap<Root>(port1) };
}

/** A call that has begun there, and ends by `letGo`. */
async function holding(own: Pick<Remote<Root>, "hold" | "add">): Promise<{ call: Promise<string> }> {
  const call = own.hold();
  await own.add(1, 1);
  return { call };
}

/** What it resolves or rejects with. */
const errorOr = (call: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(call).catch((error: unknown) => error);

const errorOf = (call: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(call).then(
    () => expect.unreachable("it resolved"),
    (error: unknown) => error,
  );

describe("context", () => {
  it("flows into calls, behind their awaits, and into property reads and assignments", async () => {
    await requestId.run("r1", async () => {
      expect(await remote.seen()).toBe("r1");
      expect(await remote.seenLater()).toBe("r1");
      expect(await remote.property).toBe("r1");
      (remote as { assigned: unknown }).assigned = 1;
      expect(await remote.lastKept()).toBe("r1");
    });
    expect(await remote.seen()).toBeUndefined();
  });

  it("is each caller's own, also on an object that another has constructed", async () => {
    const session = await requestId.run("maker", () => new remote.Session());
    expect(await session.madeBy).toBe("maker");
    await requestId.run("r2", async () => {
      expect(await session.readBy).toBe("r2");
      expect(await session.callBy()).toBe("r2");
    });
    const nested = (await remote.makeNested()) as unknown as Remote<{ id(): string | undefined }>;
    expect(await requestId.run("r3", () => nested.id())).toBe("r3");
  });

  it("does not mix between calls under way at once", async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `r${i}`);
    const seen = await Promise.all(ids.map((id) => requestId.run(id, () => remote.seenLater())));
    expect(seen).toEqual(ids);
  });

  it("does not flow while it is suppressed", async () => {
    await requestId.run("r4", async () => {
      const call = ((): PromiseLike<unknown> => {
        using _ = ExecutionContext.suppressFlow();
        return remote.seen();
      })();
      expect(await call).toBeUndefined();
    });
  });

  it("comes back with callbacks: the caller's storages, and what was changed on the way", async () => {
    const look = (): unknown[] => [requestId.value, foreign.getStore()];
    await foreign.run("store", () =>
      requestId.run("r5", async () => {
        expect(await remote.callBack(look as never)).toEqual(["r5", "store"]);
        expect(await remote.callBack(proxy(look) as never)).toEqual(["r5", "store"]);
        expect(await remote.callBackAs("other", look as never)).toEqual(["other", "store"]);
        expect(requestId.value).toBe("r5");
      }),
    );
  });
});

describe("arguments", () => {
  it("may hold functions anywhere, and keep aliases and cycles", async () => {
    const heard = await remote.callNested({
      on: (s: string) => `1 ${s}`,
      list: [(s: string) => `2 ${s}`],
    });
    expect(heard).toEqual(["1 on", "2 list"]);
    const shared = { fn: () => {} };
    expect(await remote.isSameTwice({ a: shared, b: shared })).toBe(true);
    const cyclic: { self: unknown; fn: () => void } = { self: null, fn: () => {} };
    cyclic.self = cyclic;
    expect(await remote.cyclic(cyclic as never)).toBe(true);
    expect(typeof cyclic.fn).toBe("function");
  });

  it("keep the holes of an array", async () => {
    // oxlint-disable-next-line no-sparse-arrays -- what is tested
    const list = [, 1, , () => 1];
    expect(await remote.keysOf({ list, fn: () => {} })).toEqual([4, "1", "3"]);
  });

  it("keep a property of their own that is called `__proto__`", async () => {
    const value = { ["__proto__"]: { fn: () => 1, ["__proto__"]: () => "called" } };
    expect(await remote.underProto(value)).toEqual(["called", true, ["fn", "__proto__"]]);
  });

  it("bring AbortSignals, fired or not, with their reason", async () => {
    const controller = new AbortController();
    const first = remote.aborted(controller.signal);
    const second = requestId.run("r6", () => remote.abortedOf({ signal: controller.signal }));
    expect(await remote.areSame(controller.signal, { b: controller.signal })).toBe(true);
    controller.abort(Object.assign(new RangeError("enough"), { code: "E_ENOUGH" }));
    expect(await first).toMatchObject({ message: "enough" });
    expect(await second).toBe("r6");
    expect(await remote.aborted(AbortSignal.abort("early"))).toBe("early");
    expect(await remote.aborted(controller.signal)).toMatchObject({ message: "enough" });
  });

  it("bring AbortSignals of any class, whichever the program has made the global one", async () => {
    class OwnSignal extends EventTarget {
      aborted = false;
      reason: unknown;
    }
    const own = new OwnSignal();
    const toldByOwn = remote.aborted(own as never);
    Object.assign(own, { aborted: true, reason: "own" }).dispatchEvent(new Event("abort"));
    expect(await toldByOwn).toBe("own");
    const controller = new AbortController();
    vi.stubGlobal("AbortSignal", OwnSignal);
    onTestFinished(() => void vi.unstubAllGlobals());
    const told = remote.aborted(controller.signal);
    controller.abort("enough");
    expect(await told).toBe("enough");
  });

  it("bring AbortSignals whose event another listener stops", async () => {
    const controller = new AbortController();
    controller.signal.addEventListener("abort", (event) => event.stopImmediatePropagation());
    const told = remote.aborted(controller.signal);
    const canceling = withOptions(remote, { signal: controller.signal });
    const canceled = errorOf(canceling.aborted(new AbortController().signal));
    controller.abort(new RangeError("enough"));
    expect(await told).toMatchObject({ message: "enough" });
    expect(await canceled).toMatchObject({ message: "enough" });
  });

  it("reject the call when they cannot be copied, and nothing is left open", async () => {
    const bad = new WeakMap();
    expect(await errorOf(remote.callBack((() => bad) as never))).toMatchObject({ name: "TypeError" });
    expect(await errorOf(remote.isSameTwice({ a: { fn: () => {} }, b: bad }))).toMatchObject({
      name: "DataCloneError",
    });
    expect(await remote.add(1, 1)).toBe(2);
  });
});

describe("errors", () => {
  it("keep class, code, cause and properties", async () => {
    const error = await errorOf(remote.fail());
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ name: "HttpError", message: "HTTP 404", code: "E_GONE", status: 404 });
    expect((error as Error).cause).toBeInstanceOf(TypeError);
    expect((error as Error).stack).toContain("calls.thread");
  });

  it("leave behind what cannot be copied; anything may be thrown", async () => {
    expect(await errorOf(remote.failCloneless())).toMatchObject({ message: "with a function", rest: 1 });
    expect(await errorOf(remote.failWithNothing())).toBeUndefined();
    expect(await errorOf(remote.failWithAFunction())).toMatchObject({
      code: "ERR_SKEIN_NOT_CLONEABLE",
      path: "error.fn",
    });
    expect(await errorOf(remote.failWithAnOddMessage())).toBeInstanceOf(RangeError);
  });

  it("of callbacks arrive in the method that called back", async () => {
    const error = await errorOf(
      remote.callBack(() => {
        throw Object.assign(new HttpError("back"), { status: 1 });
      }),
    );
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ message: "back", status: 1 });
  });
});

describe("a thread that ends", () => {
  it("rejects calls under way and later ones, with its exit code", async () => {
    const { remote: doomed } = start();
    const pending = errorOf(doomed.hold());
    void errorOf(doomed.exit(7));
    expect(await pending).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", exitCode: 7 });
    expect(await errorOf(doomed.add(1, 1))).toBeInstanceOf(ThreadCrashedError);
    await release(doomed);
  });

  it("gives its uncaught error as the cause, which is told nowhere else", async () => {
    const { remote: doomed } = start();
    const pending = errorOf(doomed.hold());
    await doomed.crash();
    const error = (await pending) as ThreadCrashedError;
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect(error.cause).toMatchObject({ message: "HTTP 500" });
  });

  it("is known to who wraps it afterwards", async () => {
    const { worker } = start();
    await worker.terminate();
    expect(await errorOf(wrap<Root>(worker).add(1, 1))).toBeInstanceOf(ThreadCrashedError);
  });

  it("ends what came from it: instances, and ports", async () => {
    const { worker, remote: doomed } = start();
    const session = await new doomed.Session();
    const pending = errorOf(session.neverEnds());
    await worker.terminate();
    expect(await errorOf(session.callBy())).toBeInstanceOf(ThreadCrashedError);
    await pending;
  });
});

describe("withOptions", () => {
  it("rejects at once when the signal fires, with its reason if that is an Error", async () => {
    const controller = new AbortController();
    const reason = new Error("no more");
    const call = errorOf(withOptions(remote, { signal: controller.signal }).hold());
    controller.abort(reason);
    expect(await call).toBe(reason);
    const late = await errorOf(withOptions(remote, { signal: AbortSignal.abort("plain") }).add(1, 1));
    expect(late).toBeInstanceOf(OperationCanceledError);
    expect(late).toMatchObject({ reason: "plain" });
  });

  it("may reject while its arguments are read, and then leaves neither listener nor timer", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const first = {
      get x() {
        controller.abort();
        return 1;
      },
    };
    const call = withOptions(remote, { signal, timeoutMs: 20_000 }).add(first as never, 1);
    expect(await errorOf(call)).toBe(signal.reason);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("settles, and so do the others, when the signal refuses to give its listener back", async () => {
    const signal = {
      aborted: false,
      addEventListener: () => {},
      removeEventListener: () => {
        throw new Error("it stays");
      },
    };
    using errors = new UncaughtErrors();
    const { worker, remote: own } = start();
    const options = { signal: signal as never, timeoutMs: 20_000 };
    expect(await withOptions(own, options).add(1, 2)).toBe(3);
    const held = [withOptions(own, options).hold(), own.hold()].map(errorOf);
    await own.add(1, 1);
    await worker.terminate();
    for (const error of await Promise.all(held)) expect(error).toBeInstanceOf(ThreadCrashedError);
    await eventually("both were told of", () => errors.seen.length === 2);
    for (const error of errors.seen) expect(error).toMatchObject({ message: "it stays" });
  });

  it("rejects when the signal takes no listener, and is never begun", async () => {
    const signal = {
      aborted: false,
      addEventListener: () => {
        throw new Error("nobody listens here");
      },
      removeEventListener: () => {},
    };
    const words = new Int32Array(new SharedArrayBuffer(12));
    const blocking = remote.block(words);
    await eventually("the thread blocks", () => Atomics.load(words, 0) === 1);
    const call = withOptions(remote, { signal: signal as never }).count(words);
    expect(await errorOf(call)).toMatchObject({ message: "nobody listens here" });
    Atomics.store(words, 1, 1);
    Atomics.notify(words, 1);
    await blocking;
    await remote.add(1, 1);
    expect(Atomics.load(words, 2)).toBe(0);
  });

  it("takes a signal of a simulated browser, which is of another class", async () => {
    class WindowSignal extends EventTarget {
      aborted = false;
      reason: unknown = undefined;
    }
    const signal = new WindowSignal();
    const call = errorOf(withOptions(remote, { signal: signal as never }).hold());
    Object.assign(signal, { aborted: true, reason: new Error("the window was closed") });
    signal.dispatchEvent(new Event("abort"));
    expect(await call).toBe(signal.reason);
  });

  it("takes a CancellationToken", async () => {
    const source = new CancellationTokenSource();
    const call = errorOf(withOptions(remote, { signal: source.token }).hold());
    source.cancel();
    expect(await call).toBeInstanceOf(OperationCanceledError);
  });

  it("rejects after timeoutMs, naming the call", async () => {
    const error = await errorOf(withOptions(remote, { timeoutMs: 5 }).hold());
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as Error).message).toContain("`hold`");
  });

  it("never begins a call that was given up before its thread came to it", async () => {
    const words = new Int32Array(new SharedArrayBuffer(12));
    const blocking = remote.block(words);
    await eventually("the thread blocks", () => Atomics.load(words, 0) === 1);
    const controller = new AbortController();
    const call = errorOf(withOptions(remote, { signal: controller.signal }).count(words));
    controller.abort();
    await call;
    Atomics.store(words, 1, 1);
    Atomics.notify(words, 1);
    await blocking;
    await remote.add(1, 1);
    expect(Atomics.load(words, 2)).toBe(0);
  });

  it("lets go what came with one that was given up: with an assignment as with a method", async () => {
    const { port } = await connected();
    const state = new CallState();
    state.giveUp();
    const skein = { context: null, state: state.words };
    for (const type of ["SET", "APPLY"]) {
      const { port1, port2 } = new MessageChannel();
      const value = { type: "HANDLER", name: "proxy", value: port2 };
      const what = type === "SET" ? { path: ["assigned"], value } : { path: ["keep"], argumentList: [value] };
      const closed = once(port1, "close");
      port.postMessage({ id: type, type, ...what, skein }, [port2]);
      expect(await closed).toHaveLength(1);
    }
    port.close();
  });

  it("is for all below, keeps what it is made from, and refuses what it does not know", async () => {
    const controller = new AbortController();
    const patient = withOptions(withOptions(remote, { signal: controller.signal }), { timeoutMs: 60_000 });
    expect(await patient.add(1, 2)).toBe(3);
    expect(await withOptions(remote.add, { timeoutMs: 60_000 })(2, 2)).toBe(4);
    controller.abort(new Error("gone"));
    expect(await errorOf(patient.add(1, 2))).toMatchObject({ message: "gone" });
    expect(() => withOptions(remote, { timeoutMs: -1 })).toThrow(RangeError);
    expect(() => withOptions(remote, { signl: 1 } as never)).toThrow("Did you mean `signal`?");
    expect(() => withOptions({} as never, {})).toThrow(TypeError);
    const { port1 } = new MessageChannel();
    expect(() => withOptions(Plain.wrap(port1 as never), {})).toThrow(TypeError);
    port1.close();
  });
});

describe("release", () => {
  it("waits for the calls under way, takes no others, and closes the port", async () => {
    const { port, own } = await connected();
    const closed = new Promise((resolve) => port.once("close", resolve));
    const held = await holding(own);
    let isOver = false;
    const over = release(own).then(() => (isOver = true));
    expect(await errorOf(own.add(1, 1))).toBeInstanceOf(ObjectDisposedError);
    expect(isOver).toBe(false);
    await remote.letGo();
    expect(await held.call).toBe("held");
    await over;
    await closed;
    await release(own);
  });

  it("is what `await using` does, and `releaseProxy`, which waits for nothing and drops no call", async () => {
    const { own } = await connected();
    {
      await using scoped = own;
      expect(await scoped.add(1, 1)).toBe(2);
    }
    expect(await errorOf(own.add(1, 1))).toBeInstanceOf(ObjectDisposedError);
    const second = await connected();
    const held = await holding(second.own);
    second.own[releaseProxy]();
    await remote.letGo();
    expect(await held.call).toBe("held");
  });

  it("of a collected proxy waits for its calls", async () => {
    const held = await (async () => {
      const { own } = await connected();
      return await holding(withOptions(own, { timeoutMs: 600_000 }));
    })();
    for (let i = 0; i < 5; i++) {
      globalThis.gc!();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await remote.letGo();
    expect(await held.call).toBe("held");
  });

  it("of a callback follows when the other thread has collected it", async () => {
    const weak = await (async () => {
      const callback = (): number => 1;
      expect(await remote.callBack(callback as never)).toBe(1);
      return new WeakRef(callback);
    })();
    await eventually("the callback is collected", async () => {
      await remote.collect();
      globalThis.gc!();
      return weak.deref() === undefined;
    });
  });
});

describe("release in the middle of a call, by a getter of its arguments", () => {
  const releasing = (own: Remote<Root>): object => ({
    get x() {
      void release(own);
      return 1;
    },
  });

  it("rejects it, and it is never sent", async () => {
    const { port, own } = await connected();
    const posted = vi.spyOn(port, "postMessage");
    expect(await errorOf(own.add(releasing(own) as never, 1))).toBeInstanceOf(ObjectDisposedError);
    expect(posted.mock.calls.map(([message]) => (message as { type: string }).type)).toEqual(["RELEASE"]);
    await release(own);
  });

  it("rejects it, also when it was being posted", async () => {
    const { own } = await connected();
    // Read by nobody but structured clone.
    const instance = Object.assign(Object.create(Number.prototype) as object, { rest: 1 });
    Object.defineProperties(instance, Object.getOwnPropertyDescriptors(releasing(own)));
    expect(await errorOf(own.add(instance as never, 1))).toBeInstanceOf(ObjectDisposedError);
    await release(own);
  });
});

it("keeps nothing of an object that was exposed to a Worker and released there", async () => {
  const code =
    'const { parentPort } = require("node:worker_threads"); parentPort.on("message", ({ type }) => type === "RAW" || parentPort.postMessage({ id: "1", type: "RELEASE" }))';
  const worker = new Worker(code, { eval: true });
  workers.push(worker);
  const weak = await (async () => {
    const object = { add: (a: number, b: number) => a + b };
    expose(object, worker);
    worker.postMessage({ type: "release" });
    await once(worker, "message");
    return new WeakRef(object);
  })();
  await eventually("it is collected", () => {
    globalThis.gc!();
    return weak.deref() === undefined;
  });
  expect(worker.threadId).toBeGreaterThan(0);
});

describe("two proxies of one worker", () => {
  const second = wrap<Root>(ofAll);

  it("each have their own replies: neither closes what the other was given", async () => {
    const session = await remote.makeNested();
    expect(await second.add(1, 2)).toBe(3);
    const nested = session as unknown as Remote<{ id(): string | undefined }>;
    expect(await requestId.run("r8", () => nested.id())).toBe("r8");
  });

  it("each have their own signals", async () => {
    const controllers = [new AbortController(), new AbortController()];
    const calls = [remote.aborted(controllers[0]!.signal), second.aborted(controllers[1]!.signal)];
    await remote.add(1, 1);
    controllers[0]!.abort("one");
    expect(await calls[0]).toBe("one");
    controllers[1]!.abort("two");
    expect(await calls[1]).toBe("two");
  });
});

it("is printed as Comlink's proxies are, and nothing is called", async () => {
  const { port: port1 } = await connected();
  const plain = Plain.wrap<Root>(port1);
  const posted = vi.spyOn(ofAll, "postMessage");
  for (const options of [{}, { depth: 5, showHidden: true, getters: true }])
    expect(inspect({ of: remote }, options)).toBe(inspect({ of: plain }, options));
  expect(inspect(remote.property)).toBe(inspect(plain.property));
  expect(inspect(wrap(ofAll, { is: "a target" }))).toBe("{ is: 'a target' }");
  expect("property" in remote).toBe(false);
  expect(posted).not.toHaveBeenCalled();
  posted.mockRestore();
  port1.close();
});

describe("a message that cannot be read where it arrives", () => {
  const { remote: deep } = start({ resourceLimits: { stackSizeMb: 32 } });
  const notRead = { code: "ERR_SKEIN_NOT_CLONEABLE", path: "message" };

  it("rejects the call whose result it holds, and no other", async () => {
    const { call } = await holding(deep);
    expect(await errorOf(deep.deep())).toMatchObject(notRead);
    expect(await deep.add(1, 2)).toBe(3);
    await deep.letGo();
    expect(await call).toBe("held");
  });

  it("rejects the callback whose arguments it holds, in the method that called back", async () => {
    let calls = 0;
    expect(await errorOf(deep.callBackDeep(() => calls++))).toMatchObject(notRead);
    expect(calls).toBe(0);
  });

  it("rejects all that were made at once, over a port as over a Worker, and no release waits for them", async () => {
    const { port1, port2 } = new MessageChannel();
    await deep.exposeOn(transfer(port2, [port2 as never]) as never);
    const own = wrap<Root>(port1);
    const calls = [own.deep(), own.add(1, 1), own.deep(), own.deep()].map(errorOr);
    const released = release(own);
    expect(await Promise.all(calls)).toEqual([
      expect.objectContaining(notRead),
      2,
      expect.objectContaining(notRead),
      expect.objectContaining(notRead),
    ]);
    await released;
  });

  it("rejects calls on either side of a link that is used both ways", async () => {
    const { port1, port2 } = new MessageChannel();
    expose({ add: (a: number, b: number) => a + b }, port1);
    await deep.exposeOn(transfer(port2, [port2 as never]) as never);
    const own = wrap<Root>(port1);
    expect(await errorOf(own.deep())).toMatchObject(notRead);
    expect(await own.add(1, 2)).toBe(3);
    port1.close();
  });

  it("rejects the call that has thrown it; and is the reason of a signal, where it was that", async () => {
    expect(await errorOf(deep.failDeep())).toMatchObject({ code: "ERR_SKEIN_TOO_DEEP" });
    const reason = await deep.abortDeep(async (signal) => {
      if (!signal.aborted) await once(signal, "abort");
      return (signal.reason as { code: string }).code;
    });
    expect(reason).toBe("ERR_SKEIN_TOO_DEEP");
  });
});

describe("what others may replace", () => {
  it("is not used: Math.random for the ids of calls", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0.5);
    const sums = await Promise.all([remote.add(1, 1), remote.add(2, 2)]);
    random.mockRestore();
    expect(sums).toEqual([2, 4]);
  });

  it("is not used: the timers of the program for `timeoutMs`", async () => {
    vi.useFakeTimers();
    try {
      const error = await errorOf(withOptions(remote, { timeoutMs: 1 }).hold());
      expect(error).toBeInstanceOf(TimeoutError);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the other side has plain Comlink", () => {
  it("is called, and calls back functions; its errors are Comlink's", async () => {
    const { port1, port2 } = new MessageChannel();
    await remote.exposePlain(transfer(port2, [port2 as never]) as never);
    const own = wrap<{ call(fn: (x: number) => number): Promise<number>; fail(): never }>(port1);
    expect(await own.call((x: number) => x + 1)).toBe(2);
    expect(await errorOf(own.fail())).toMatchObject({ name: "HttpError", message: "HTTP 404" });
    await release(own);
  });

  it("calls what `expose` has: nothing flows", async () => {
    const { port1, port2 } = new MessageChannel();
    expose({ seen: () => requestId.value, fail: () => Promise.reject(new RangeError("far")) }, port1);
    const plain = Plain.wrap<{ seen(): string | undefined; fail(): Promise<never> }>(port2);
    expect(await requestId.run("r7", () => plain.seen())).toBeUndefined();
    expect(await errorOf(plain.fail())).toMatchObject({ name: "RangeError", message: "far" });
    port2.close();
  });
});

it("refuses endpoints that are none", () => {
  expect(() => wrap({} as never)).toThrow(TypeError);
  expect(() => expose({}, null as never)).toThrow(TypeError);
});

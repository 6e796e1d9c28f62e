/** What Comlink's README says, on plain Comlink first, then on ours. */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type * as Comlink from "comlink";
import { eventually } from "../../../test/support/eventually.ts";
import { LIBRARIES, type Library, load } from "./fixtures/library.ts";
import type { Root } from "./fixtures/readme.thread.ts";

const file = new URL("./fixtures/readme.thread.ts", import.meta.url);

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

describe.each(LIBRARIES)("%s", (name) => {
  let library: Library;
  let worker: Worker;
  let remote: Comlink.Remote<Root>;

  beforeAll(async () => {
    const loaded = await load(name);
    ({ library } = loaded);
    worker = new Worker(file, { workerData: name });
    remote = library.wrap<Root>(loaded.endpoint(worker));
  });
  afterAll(async () => {
    library.transferHandlers.delete("MONEY");
    await worker.terminate();
  });

  /** Comlink's types know one level alone. */
  const deep = (): Comlink.Remote<Root["nested"]["deep"]> =>
    (remote.nested as unknown as { deep: Comlink.Remote<Root["nested"]["deep"]> }).deep;

  /** A proxy of its own, over a port. */
  async function connected(
    object: "root" | "function",
  ): Promise<{ port: MessagePort; proxy: Comlink.Remote<Root> }> {
    const { port1, port2 } = new MessageChannel();
    await remote.connect(library.transfer(port2, [port2 as never]) as never, object);
    return { port: port1, proxy: library.wrap<Root>(port1) };
  }

  it("reads properties and calls methods of an object", async () => {
    const before = await remote.counter;
    await remote.inc();
    expect(await remote.counter).toBe(before + 1);
    expect(await deep().answer).toBe(42);
    expect(await deep().ask("who")).toBe("who?");
  });

  it("gives a promise of what a function returns, and of what it resolves to", async () => {
    const sum = remote.add(1, 2);
    expect(sum).toBeInstanceOf(Promise);
    expect(await sum).toBe(3);
    expect(await remote.addLater(3, 4)).toBe(7);
  });

  it("throws again what is thrown on the other side", async () => {
    await expect(remote.fail()).rejects.toMatchObject({ name: "RangeError", message: "too far" });
    await expect(remote.failLater()).rejects.toMatchObject({ message: "too far, later" });
    await expect(remote.throwText()).rejects.toBe("just text");
  });

  it("copies arguments, results and properties as structured clone does", async () => {
    const value = { x: 1 };
    expect(await remote.mutate(value)).toEqual({ x: 2 });
    expect(value).toEqual({ x: 1 });
    const odd = { date: new Date(0), map: new Map([[1, new Set([2])]]), big: 1n, none: undefined };
    expect(await remote.echo(odd)).toEqual(odd);
    expect(await deep().answer).toBe(42);
  });

  it("says when a result cannot be copied", async () => {
    await expect(remote.uncloneable()).rejects.toMatchObject({
      name: "TypeError",
      message: "Unserializable return value",
    });
  });

  it("moves what `transfer` lists, of arguments and of results", async () => {
    const buffer = new ArrayBuffer(16);
    expect(await remote.byteLength(library.transfer(buffer, [buffer]))).toBe(16);
    expect(buffer.byteLength).toBe(0);
    expect((await remote.makeBuffer()).byteLength).toBe(8);
  });

  it("calls back what `proxy` marks", async () => {
    const heard: string[] = [];
    const callback = (value: string): number => heard.push(value);
    expect(await remote.callBack(library.proxy(callback) as never)).toBe(1);
    expect(heard).toEqual(["from a thread"]);
  });

  it("assigns properties, `proxy` among them", async () => {
    const heard: number[] = [];
    (remote as { onready: unknown }).onready = library.proxy((value: number) => heard.push(value));
    expect(await remote.fireReady()).toBe(1);
    expect(heard).toEqual([7]);
    (remote as { counter: unknown }).counter = 100;
    expect(await remote.counter).toBe(100);
  });

  it("leaves a result that `proxy` marks where it is", async () => {
    const made = (await remote.makeShared()) as unknown as Comlink.Remote<{
      visits: number;
      visit(): number;
    }>;
    await made.visit();
    await made.visit();
    expect(await made.visits).toBe(2);
  });

  it("constructs classes, whose instances stay there", async () => {
    const counter = await new remote.Counter(5);
    expect(await counter.inc()).toBe(6);
    expect(await counter.count).toBe(6);
  });

  it("gives values to transfer handlers that are set on both sides", async () => {
    library.transferHandlers.set("MONEY", {
      canHandle: (value): value is Money => value instanceof Money,
      serialize: (value) => [(value as Money).cents, []],
      deserialize: (value) => new Money(value as number),
    });
    const tip: unknown = await remote.tip(new Money(21) as never);
    expect(tip).toBeInstanceOf(Money);
    expect((tip as Money).cents).toBe(42);
  });

  it("takes `bind` for the function itself, as event listeners are added", async () => {
    const bound = remote.add.bind(remote) as unknown as (a: number, b: number) => Promise<number>;
    expect(await bound(2, 3)).toBe(5);
  });

  it("exposes a function, and one object on several ports", async () => {
    const { port, proxy } = await connected("function");
    expect(await (proxy as unknown as (x: number) => Promise<number>)(4)).toBe(8);
    const second = await connected("root");
    expect(await second.proxy.add(1, 1)).toBe(2);
    port.close();
    second.port.close();
  });

  it("makes another endpoint for the same object", async () => {
    const port = await remote[library.createEndpoint]();
    const second = library.wrap<Root>(port);
    await second.inc();
    expect(await second.counter).toBe(await remote.counter);
    second[library.releaseProxy]();
  });

  it("refuses a proxy that was released, and closes its port", async () => {
    const { port, proxy } = await connected("root");
    const closed = new Promise((resolve) => port.once("close", resolve));
    expect(await proxy.add(1, 1)).toBe(2);
    proxy[library.releaseProxy]();
    expect(() => proxy.add).toThrow("Proxy has been released and is not useable");
    await closed;
  });

  it("calls the finalizer when its proxy is released", async () => {
    const finalized = new Int32Array(new SharedArrayBuffer(4));
    const object = await new remote.Disposable(finalized);
    expect(await object.ping()).toBe("pong");
    expect(Atomics.load(finalized, 0)).toBe(0);
    object[library.releaseProxy]();
    await eventually("the finalizer", () => Atomics.load(finalized, 0) === 1);
  });

  it("releases a proxy that was collected", async () => {
    const finalized = new Int32Array(new SharedArrayBuffer(4));
    await (async () => {
      const object = await new remote.Disposable(finalized);
      expect(await object.ping()).toBe("pong");
    })();
    await eventually("the finalizer", () => {
      globalThis.gc!();
      return Atomics.load(finalized, 0) === 1;
    });
  });

  it("works between windows, and asks where a message comes from", async () => {
    const { mine, theirs } = windows();
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    library.expose({ add: (a: number, b: number) => a + b }, library.windowEndpoint(theirs, mine), [
      "https://ok",
    ]);
    const proxy = library.wrap<Root>(library.windowEndpoint(mine, theirs));
    theirs.origin = "https://evil";
    void proxy.add(1, 1);
    await eventually("the warning", () => warn.mock.calls.length > 0);
    expect(warn.mock.calls[0]![0]).toContain("https://evil");
    theirs.origin = "https://ok";
    expect(await proxy.add(1, 2)).toBe(3);
    warn.mockRestore();
  });
});

/** Two windows as far as Comlink can tell. */
class FakeWindow extends EventTarget {
  origin = "https://ok";
  from: () => string = () => this.origin;
  postMessage(data: unknown): void {
    const origin = this.from();
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event("message"), { data, origin })));
  }
}

function windows(): { mine: FakeWindow; theirs: FakeWindow } {
  const mine = new FakeWindow();
  const theirs = new FakeWindow();
  mine.from = () => theirs.origin;
  theirs.from = () => mine.origin;
  return { mine, theirs };
}

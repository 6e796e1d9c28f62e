import { describe, expect, it } from "vitest";
import { AsyncLocal, AsyncScope, ExecutionContext } from "@skein/context";
import { contextFields } from "@skein/context/log";
import { collect } from "./collect.ts";

describe("garbage collection", () => {
  it("A2.13 a context and its values go when nobody holds them", async () => {
    const local = new AsyncLocal<object>();
    const references = (() => {
      const value = {};
      const context = local.run(value, () => ExecutionContext.capture()!);
      return [new WeakRef(value), new WeakRef(context)];
    })();
    await collect(...references);
    expect(local.value).toBeUndefined();
  });

  it("a value goes when a captured context goes, not before", async () => {
    const local = new AsyncLocal<object>();
    let context: ExecutionContext | null = null;
    const reference = (() => {
      const value = {};
      context = local.run(value, () => ExecutionContext.capture());
      return new WeakRef(value);
    })();
    await expect(collect(reference)).rejects.toThrow("still reachable");
    expect(context).not.toBeNull();
    context = null;
    await collect(reference);
  });

  it("a scope keeps its context as long as it lives, and root keeps nothing", async () => {
    const local = new AsyncLocal<object>();
    const references = (() => {
      const value = {};
      const scope = local.run(value, () => AsyncScope.capture());
      scope.run(() => local.value);
      AsyncScope.root.run(() => {
        local.value = value;
      });
      return [new WeakRef(value), new WeakRef(scope)];
    })();
    await collect(...references);
    expect(AsyncScope.root.run(() => local.value)).toBeUndefined();
  });

  it("a suppressed context and its twin go together", async () => {
    const local = new AsyncLocal<object>();
    const reference = (() => {
      const value = {};
      ExecutionContext.isolate(() => {
        local.value = value;
        using _ = ExecutionContext.suppressFlow();
      });
      return new WeakRef(value);
    })();
    await collect(reference);
    expect(local.value).toBeUndefined();
  });

  it("a local goes, also one with a name and a handler, after contexts that held it went", async () => {
    const references = (() => {
      const heard: unknown[] = [];
      const local = new AsyncLocal<string>({
        name: "collection.test/local",
        flow: "wire",
        onValueChanged: (change) => heard.push(change),
      });
      local.run("x", () => {
        ExecutionContext.capture()!.toCarrier();
        contextFields();
      });
      return [new WeakRef(local), new WeakRef(heard)];
    })();
    await collect(...references);
    expect(new AsyncLocal({ name: "collection.test/local", flow: "wire" }).name).toBe(
      "collection.test/local",
    );
  });

  it("a decoded carrier does not keep the local that decoded it", async () => {
    const name = "collection.test/decoded";
    const context = ExecutionContext.fromCarrier(`1t${name.length}:${name}2:42`);
    const reference = (() => {
      const local = new AsyncLocal<number>({ name, flow: "thread" });
      expect(ExecutionContext.run(context, () => local.value)).toBe(42);
      return new WeakRef(local);
    })();
    await collect(reference);
    expect(context.toCarrier()).toContain(name);
  });

  it("a finished async run keeps nothing", async () => {
    const local = new AsyncLocal<object>();
    const reference = await (async () => {
      const value = {};
      await local.run(value, async () => {
        await new Promise((resolve) => setImmediate(resolve));
      });
      return new WeakRef(value);
    })();
    await collect(reference);
    expect(local.value).toBeUndefined();
  });
});

import { EventEmitter, getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { CancellationTokenSource, Task } from "../src/index.ts";
import { untyped } from "./untyped.ts";

const failure = new Error("failure");

describe("Task.fromEvent", () => {
  it("gives the first argument of an emitter's event, and leaves no listener", async () => {
    const emitter = new EventEmitter();
    const task = Task.fromEvent<number>(emitter, "ready");
    emitter.emit("ready", 1, 2);
    expect(await task).toBe(1);
    expect(emitter.eventNames()).toEqual([]);
  });

  it("an emitter's 'error' faults it, or the event that was named", async () => {
    const emitter = new EventEmitter();
    const byDefault = Task.fromEvent(emitter, "ready");
    emitter.emit("error", failure);
    await expect(byDefault).rejects.toBe(failure);
    const named = Task.fromEvent(emitter, "ready", { errorEvent: "broken" });
    emitter.emit("broken", failure);
    await expect(named).rejects.toBe(failure);
    expect(emitter.eventNames()).toEqual([]);
  });

  it("waiting for 'error' itself gives the error", async () => {
    const emitter = new EventEmitter();
    const task = Task.fromEvent(emitter, "error");
    emitter.emit("error", failure);
    expect(await task).toBe(failure);
  });

  it("gives the event of an EventTarget", async () => {
    const target = new EventTarget();
    const task = Task.fromEvent<Event>(target, "ready");
    const event = new Event("ready");
    target.dispatchEvent(event);
    expect(await task).toBe(event);
    expect(getEventListeners(target, "ready")).toEqual([]);
  });

  it("a signal cancels it and every listener is gone", async () => {
    const emitter = new EventEmitter();
    const controller = new AbortController();
    const task = Task.fromEvent(emitter, "ready", { signal: controller.signal });
    controller.abort(failure);
    await expect(task).rejects.toBe(failure);
    expect(task.status).toBe("canceled");
    expect(emitter.eventNames()).toEqual([]);
    const late = Task.fromEvent(emitter, "ready", { signal: controller.signal });
    expect(late.status).toBe("canceled");
    expect(emitter.eventNames()).toEqual([]);
  });

  it.each([
    ["before it has them", false],
    ["once it has them", true],
  ])(
    "an emitter that calls listeners back at once, %s: completed, and no listener stays",
    (_, keepsFirst) => {
      class Device extends EventEmitter {
        override on(name: string | symbol, listener: (value: unknown) => void): this {
          if (keepsFirst) super.on(name, listener);
          if (name === "ready") listener.call(this, 42);
          if (!keepsFirst) super.on(name, listener);
          return this;
        }
      }
      const device = new Device();
      const { signal } = new AbortController();
      const task = Task.fromEvent(device, "ready", { signal });
      expect([task.status, task.result]).toEqual(["succeeded", 42]);
      expect([device.eventNames(), getEventListeners(signal, "abort")]).toEqual([[], []]);
      const failed = Task.fromEvent(device, "other", { errorEvent: "ready", signal });
      expect([failed.status, failed.error]).toEqual(["faulted", 42]);
      expect([device.eventNames(), getEventListeners(signal, "abort")]).toEqual([[], []]);
    },
  );

  it("an emitter that refuses a listener: none stays of those that it has taken", () => {
    class Strict extends EventEmitter {
      override on(name: string | symbol, listener: (value: unknown) => void): this {
        if (name === "error") throw failure;
        return super.on(name, listener);
      }
    }
    const strict = new Strict();
    expect(() => Task.fromEvent(strict, "ready")).toThrow(failure);
    expect(strict.eventNames()).toEqual([]);
  });

  it("a listener to `removeListener` that throws: the event has come all the same, and no listener stays", () => {
    const emitter = new EventEmitter();
    emitter.on("removeListener", () => {
      throw failure;
    });
    const task = Task.fromEvent(emitter, "ready");
    expect(() => emitter.emit("ready", 1)).toThrow(failure);
    expect([task.status, task.result]).toEqual(["succeeded", 1]);
    const source = new CancellationTokenSource();
    const canceled = Task.fromEvent(emitter, "ready", { signal: source.token });
    expect(() => source.cancel()).toThrow(AggregateError);
    expect(canceled.status).toBe("canceled");
    expect(emitter.eventNames()).toEqual(["removeListener"]);
  });

  it("what is emitted while listeners are taken off comes too late", () => {
    const emitter = new EventEmitter();
    emitter.once("removeListener", () => emitter.emit("error", failure));
    const task = Task.fromEvent(emitter, "ready");
    emitter.emit("ready", 1);
    expect([task.status, task.result]).toEqual(["succeeded", 1]);
  });

  it("refuses what is no event source, and what is no name of an event", () => {
    const emitter = new EventEmitter();
    const target = new EventTarget();
    const name = Symbol("ready");
    expect(() => Task.fromEvent(emitter, "ready", { errorEvent: untyped({}) })).toThrow(
      "Expected `options.errorEvent` to be a string or a symbol, got",
    );
    expect(() => Task.fromEvent(target, name)).toThrow("Expected `name` to be a string for an EventTarget");
    expect(() => Task.fromEvent(target, "ready", { errorEvent: name })).toThrow(TypeError);
    expect(emitter.eventNames()).toEqual([]);
    expect(() => Task.fromEvent(untyped({}), "ready")).toThrow(TypeError);
    expect(() => Task.fromEvent(new EventTarget(), untyped(1))).toThrow(TypeError);
  });
});

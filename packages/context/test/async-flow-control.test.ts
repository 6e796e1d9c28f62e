import { describe, expect, it } from "vitest";
import { untyped } from "./untyped.ts";
import { AsyncLocal, AsyncScope, ExecutionContext, Snapshot } from "@skein/context";

const invalidOperation = expect.objectContaining({
  name: "InvalidOperationError",
  code: "ERR_SKEIN_INVALID_OPERATION",
});

describe("suppressFlow", () => {
  it("A2.5 values stay readable, capture gives null, and it ends with undo", () => {
    const local = new AsyncLocal<string>();
    local.run("x", () => {
      const before = ExecutionContext.capture();
      const control = ExecutionContext.suppressFlow();
      expect(ExecutionContext.isFlowSuppressed()).toBe(true);
      expect(ExecutionContext.capture()).toBeNull();
      expect(local.value).toBe("x");
      control.undo();
      expect(ExecutionContext.isFlowSuppressed()).toBe(false);
      expect(ExecutionContext.capture()).toBe(before);
    });
  });

  it("A2.5 what is captured as a scope, a bound function or a snapshot runs in the default context", () => {
    const local = new AsyncLocal<string>();
    local.run("x", () => {
      const control = ExecutionContext.suppressFlow();
      const look = (): unknown => [local.value, ExecutionContext.isFlowSuppressed()];
      const scope = AsyncScope.capture();
      const bound = ExecutionContext.bind(look);
      const snapshot = new Snapshot();
      control.undo();
      for (const seen of [scope.run(look), scope.runOnce(look), bound(), snapshot.run(look)]) {
        expect(seen).toEqual([undefined, false]);
      }
      expect(local.value).toBe("x");
    });
  });

  it("A2.5 capture under suppression, then run, is an InvalidOperationError", () => {
    using _ = ExecutionContext.suppressFlow();
    expect(() => ExecutionContext.run(untyped(ExecutionContext.capture()), () => undefined)).toThrow(
      invalidOperation,
    );
  });

  it("A2.6 the control is disposable", () => {
    {
      using _ = ExecutionContext.suppressFlow();
      expect(ExecutionContext.isFlowSuppressed()).toBe(true);
    }
    expect(ExecutionContext.isFlowSuppressed()).toBe(false);
  });

  it("A2.6 undo throws where another context is current, and works afterwards; a second undo does nothing", () => {
    const context = ExecutionContext.capture()!;
    const control = ExecutionContext.suppressFlow();
    ExecutionContext.run(context, () => expect(() => control.undo()).toThrow(invalidOperation));
    expect(ExecutionContext.isFlowSuppressed()).toBe(true);
    control.undo();
    expect(ExecutionContext.isFlowSuppressed()).toBe(false);
    control.undo();
    const second = ExecutionContext.suppressFlow();
    control.undo();
    expect(ExecutionContext.isFlowSuppressed()).toBe(true);
    second.undo();
  });

  it("A2.7 (0.1) a nested suppression is allowed, and its control does nothing", () => {
    const outer = ExecutionContext.suppressFlow();
    const inner = ExecutionContext.suppressFlow();
    inner.undo();
    expect(ExecutionContext.isFlowSuppressed()).toBe(true);
    outer.undo();
    expect(ExecutionContext.isFlowSuppressed()).toBe(false);
  });

  it("A2.7 restoreFlow ends a suppression, and throws without one", () => {
    ExecutionContext.suppressFlow();
    ExecutionContext.restoreFlow();
    expect(ExecutionContext.isFlowSuppressed()).toBe(false);
    expect(() => ExecutionContext.restoreFlow()).toThrow(invalidOperation);
  });

  it("A2.8 setting a local keeps the suppression and does not break undo", () => {
    const local = new AsyncLocal<string>();
    ExecutionContext.isolate(() => {
      const control = ExecutionContext.suppressFlow();
      local.value = "set";
      expect(ExecutionContext.isFlowSuppressed()).toBe(true);
      local.value = undefined;
      expect(ExecutionContext.isFlowSuppressed()).toBe(true);
      local.value = "kept";
      control.undo();
      expect([local.value, ExecutionContext.isFlowSuppressed()]).toEqual(["kept", false]);
    });
  });

  it("A2.9 suppression does not flow into a run of a captured context, and holds again after it", () => {
    const local = new AsyncLocal<string>();
    const context = local.run("captured", () => ExecutionContext.capture()!);
    using _ = ExecutionContext.suppressFlow();
    ExecutionContext.run(context, () => {
      expect([local.value, ExecutionContext.isFlowSuppressed()]).toEqual(["captured", false]);
      expect(ExecutionContext.capture()).toBe(context);
    });
    expect(ExecutionContext.isFlowSuppressed()).toBe(true);
  });

  it("A2.9 deviation: Node carries the suppression over a native await and into its callbacks", async () => {
    const seen = await ExecutionContext.isolate(async () => {
      using _ = ExecutionContext.suppressFlow();
      await Promise.resolve();
      const afterAwait = ExecutionContext.isFlowSuppressed();
      const inCallback = await new Promise((resolve) =>
        setImmediate(() => resolve(ExecutionContext.isFlowSuppressed())),
      );
      return [afterAwait, inCallback];
    });
    expect(seen).toEqual([true, true]);
    expect(ExecutionContext.isFlowSuppressed()).toBe(false);
  });
});

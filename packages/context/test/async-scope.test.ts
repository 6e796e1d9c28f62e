import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { untyped } from "./untyped.ts";
import { AsyncLocal, AsyncScope, CarriedScope, ExecutionContext } from "@skein/context";

describe("AsyncScope", () => {
  it("runs in what was captured, ours and every other storage, passes arguments, and puts everything back", () => {
    const local = new AsyncLocal<string>();
    const foreign = [new AsyncLocalStorage<string>(), new AsyncLocalStorage<string>()] as const;
    const scope = foreign[0].run("zero", () =>
      foreign[1].run("one", () => local.run("ours", () => AsyncScope.capture())),
    );
    local.run("outside", () => {
      const seen = scope.run(
        (a: number, b: number) => [a + b, local.value, ...foreign.map((storage) => storage.getStore())],
        1,
        2,
      );
      expect(seen).toEqual([3, "ours", "zero", "one"]);
      expect([local.value, foreign[0].getStore()]).toEqual(["outside", undefined]);
    });
  });

  it("the constructor captures too, so that a subclass is its own scope", () => {
    class Continuation extends AsyncScope {
      readonly label: string;
      constructor(label: string) {
        super();
        this.label = label;
      }
    }
    const local = new AsyncLocal<string>();
    const continuation = local.run("x", () => new Continuation("c"));
    expect(continuation.run(() => [continuation.label, local.value])).toEqual(["c", "x"]);
  });

  it("nothing leaks from one run to the next, nor to the caller: ours, enterWith of others, suppression", () => {
    const local = new AsyncLocal<number>();
    const foreign = new AsyncLocalStorage<string>();
    const scope = foreign.run("captured", () => local.run(1, () => AsyncScope.capture()));
    for (let run = 0; run < 100; run++) {
      scope.run(() => {
        expect([local.value, foreign.getStore(), ExecutionContext.isFlowSuppressed()]).toEqual([
          1,
          "captured",
          false,
        ]);
        local.value = 2;
        foreign.enterWith("entered");
        ExecutionContext.suppressFlow();
      });
      expect([local.value, foreign.getStore(), ExecutionContext.isFlowSuppressed()]).toEqual([
        undefined,
        undefined,
        false,
      ]);
    }
  });

  it("nothing leaks between runs that overlap or continue later", async () => {
    const local = new AsyncLocal<number>();
    const foreign = new AsyncLocalStorage<string>();
    const scope = foreign.run("captured", () => local.run(0, () => AsyncScope.capture()));
    const work = async (id: number): Promise<unknown> => {
      const atStart = [local.value, foreign.getStore()];
      local.value = id;
      foreign.enterWith(`entered ${id}`);
      await new Promise((resolve) => setImmediate(resolve));
      return [atStart, local.value, foreign.getStore()];
    };
    const results = [1, 2, 3].map((id) => scope.run(work, id));
    expect(await Promise.all(results)).toEqual([1, 2, 3].map((id) => [[0, "captured"], id, `entered ${id}`]));
  });

  it("nested runs of one scope start from what was captured", () => {
    const local = new AsyncLocal<number>();
    const foreign = new AsyncLocalStorage<string>();
    const scope = local.run(1, () => AsyncScope.capture());
    scope.run(() => {
      local.value = 2;
      foreign.enterWith("outer run");
      scope.run(() => expect([local.value, foreign.getStore()]).toEqual([1, undefined]));
      expect([local.value, foreign.getStore()]).toEqual([2, "outer run"]);
    });
  });

  it("puts everything back when the function throws", () => {
    const local = new AsyncLocal<string>();
    const foreign = new AsyncLocalStorage<string>();
    const scope = local.run("captured", () => AsyncScope.capture());
    local.run("outside", () => {
      const fail = (): never => {
        local.value = "changed";
        foreign.enterWith("entered");
        throw new Error("inside");
      };
      expect(() => scope.run(fail)).toThrow("inside");
      expect([local.value, foreign.getStore()]).toEqual(["outside", undefined]);
    });
  });

  it("runOnce runs in the captured state and puts everything back", () => {
    const local = new AsyncLocal<string>();
    const foreign = new AsyncLocalStorage<string>();
    const scope = foreign.run("foreign", () => local.run("x", () => AsyncScope.capture()));
    const seen = scope.runOnce((n: number) => {
      foreign.enterWith("entered");
      return [n, local.value];
    }, 5);
    expect(seen).toEqual([5, "x"]);
    expect([local.value, foreign.getStore()]).toEqual([undefined, undefined]);
  });

  it("root has nothing of ours and lets flow, wherever it runs", () => {
    const local = new AsyncLocal<string>();
    const foreign = new AsyncLocalStorage<string>();
    const empty = ExecutionContext.capture();
    foreign.run("foreign", () =>
      local.run("x", () => {
        using _ = ExecutionContext.suppressFlow();
        AsyncScope.root.run(() => {
          expect([local.value, foreign.getStore()]).toEqual([undefined, undefined]);
          expect(ExecutionContext.capture()).toBe(empty);
        });
        expect([local.value, foreign.getStore()]).toEqual(["x", "foreign"]);
      }),
    );
  });

  it("CarriedScope has the given context for our values and the root for everybody else's", () => {
    const local = new AsyncLocal<string>();
    const foreign = new AsyncLocalStorage<string>();
    const context = local.run("given", () => ExecutionContext.capture()!);
    const scope = foreign.run("creator", () => local.run("creator", () => new CarriedScope(context).get()));
    for (let run = 0; run < 3; run++) {
      scope.run(() => {
        expect([local.value, foreign.getStore()]).toEqual(["given", undefined]);
        expect(ExecutionContext.capture()).toBe(context);
        local.value = "changed";
        foreign.enterWith("entered");
      });
    }
    AsyncScope.root.run(() => expect([local.value, foreign.getStore()]).toEqual([undefined, undefined]));
    expect(() => new CarriedScope(untyped(null))).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }),
    );
  });
});

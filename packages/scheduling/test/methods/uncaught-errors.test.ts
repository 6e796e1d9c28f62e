import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const entry = JSON.stringify(new URL("../../dist/index.js", import.meta.url).href);

interface Exit {
  readonly code: number | string;
  readonly lines: string[];
  readonly stderr: string;
}

/** Runs `body` in a process of its own; with `listens` it prints what surfaces, and goes on. */
function runBody(body: string, listens: boolean = true): Promise<Exit> {
  const listeners = `
    process.on("unhandledRejection", (error) => console.log("unhandled " + error.message));
    process.on("uncaughtException", (error) => console.log("uncaught " + error.message));`;
  const script = `
    import * as skein from ${entry};
    const { CancellationTokenSource, ManualResetValueTaskSource, MessageLoop, SynchronizationContext, Task, TaskCompletionSource, ValueTask } = skein;
    ${listens ? listeners : ""}
    ${body}`;
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script];
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, lines: stdout.split("\n").filter((line) => line !== ""), stderr });
    });
  });
}

describe("errors that nobody receives", () => {
  it.each([
    [
      "A9.6 asyncVoid without a context: uncaught",
      `Task.asyncVoid(function* () { yield* Task.yield(); throw new Error("void"); })();`,
      ["uncaught void"],
    ],
    [
      "A9.6 asyncVoid on a message loop: uncaught there",
      `SynchronizationContext.run(new MessageLoop(), () =>
         Task.asyncVoid(function* () { yield* Task.yield(); throw new Error("loop"); })());`,
      ["uncaught loop"],
    ],
    [
      "onError of a message loop that throws itself: uncaught, and the loop goes on",
      `const loop = new MessageLoop({ onError: (error) => { throw new Error("logger of " + error.message); } });
       loop.post(() => { throw new Error("first"); });
       loop.post(() => {
         console.log("second");
         setImmediate(() => loop.post(() => console.log("third " + loop.pending)));
       });`,
      ["second", "uncaught logger of first", "third 0"],
    ],
    [
      "a method whose task nobody observes: unhandled, once",
      `Task.async(function* () { yield* Task.yield(); throw new Error("method"); })();`,
      ["unhandled method"],
    ],
    [
      "a method that is cancelled: nothing",
      `Task.async(function* () { throw new skein.OperationCanceledError(); })(); console.log("end");`,
      ["end"],
    ],
    [
      "a method whose task another method awaits: one report, of the outer one",
      `const inner = Task.async(function* () { yield* Task.yield(); throw new Error("inner"); });
       Task.async(function* () { yield* inner(); })();`,
      ["unhandled inner"],
    ],
    [
      "A4.7 a continuation that throws, inline: uncaught, and the completer goes on",
      `const source = new TaskCompletionSource({ continuations: "inline" });
       source.task[skein.awaiter]().onCompleted(() => { throw new Error("continuation"); }, undefined);
       source.setResult(1); console.log("completer");`,
      ["completer", "uncaught continuation"],
    ],
    [
      "A11.11 a callback that throws when the time has come: uncaught",
      `const source = new CancellationTokenSource(1);
       source.token.register(() => { throw new Error("callback"); });
       setTimeout(() => {}, 20);`,
      ["uncaught Callbacks of a cancellation failed"],
    ],
    [
      "a builder that throws: uncaught",
      `const odd = skein.asyncMethod(() => ({ task: 1, setResult() { throw new Error("builder"); }, setError() {} }));
       odd(function* () {})(); console.log("returned");`,
      ["returned", "uncaught builder"],
    ],
    [
      "a failed pooled method is its awaiter's: nothing else is reported",
      `const method = ValueTask.asyncPooled(function* () { yield* Task.yield(); throw new Error("pooled"); });
       try { await method(); } catch (error) { console.log("caught " + error.message); }`,
      ["caught pooled"],
    ],
  ])("%s", async (_, body, expected) => {
    const { lines, code } = await runBody(body);
    expect(lines).toEqual(expected);
    expect(code).toBe(0);
  });

  it("one who has called back, and throws then: uncaught, and the method goes on once", async () => {
    const { lines } = await runBody(`
      const both = (continuation, state) => {
        SynchronizationContext.run(null, continuation, state);
        throw new Error("both");
      };
      const source = (status = "pending") => ({
        getStatus: () => status,
        getResult: () => 1,
        onCompleted: (...args) => { status = "succeeded"; both(...args); },
      });
      const foreign = { [skein.awaiter]: () => ({ isCompleted: false, getResult: () => 1, onCompleted: both }) };
      const method = Task.async(function* () {
        const ofForeign = yield foreign;
        const ofSource = yield* ValueTask.fromSource(source(), 0);
        const ofConfigured = yield* ValueTask.fromSource(source(), 0).configureAwait({});
        console.log(ofForeign, ofSource, ofConfigured, yield Promise.resolve("end"));
      });
      SynchronizationContext.run(new MessageLoop(), () => void method());`);
    expect(lines.toSorted()).toEqual(["1 1 1 end", "uncaught both", "uncaught both", "uncaught both"]);
  });

  it("without a listener asyncVoid ends the process, with the method in the stack", async () => {
    const { code, stderr } = await runBody(
      `Task.asyncVoid(function* fireAndForget() { yield* Task.yield(); throw new Error("void"); })();`,
      false,
    );
    expect(code).toBe(1);
    expect(stderr).toContain("Error: void\n    at fireAndForget");
  });

  it("neither a pending method, nor a timed source, nor an idle message loop keeps the process alive", async () => {
    const { code, lines } = await runBody(`
      Task.async(function* () { yield* new TaskCompletionSource().task; })();
      new CancellationTokenSource(60_000);
      const loop = new MessageLoop();
      loop.post(() => console.log("posted"), undefined);`);
    expect([code, lines]).toEqual([0, ["posted"]]);
  });
});

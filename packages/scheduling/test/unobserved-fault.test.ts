import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const entry = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);

interface Exit {
  readonly code: number | string;
  readonly lines: string[];
  readonly stderr: string;
}

/** Runs `body` in a process of its own, which prints every unhandled rejection and uncaught exception. */
function runBody(body: string, flags: readonly string[] = [], listens: boolean = true): Promise<Exit> {
  const listeners = `
    process.on("unhandledRejection", (error) => console.log("unhandled " + error.message));
    process.on("uncaughtException", (error) => console.log("uncaught " + error.message));`;
  const script = `
    import { ManualScheduler, Task, TaskCompletionSource, TaskScheduler } from ${entry};
    ${listens ? listeners : ""}
    const fault = (message, continuations) => {
      const source = new TaskCompletionSource({ continuations });
      source.setError(new Error(message));
      return source.task;
    };
    ${body}`;
  const args = ["--disable-warning=ExperimentalWarning", ...flags, "--input-type=module", "-e", script];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, lines: stdout.split("\n").filter((line) => line !== ""), stderr });
    });
  });
}

describe("a fault that nobody observes", () => {
  it("A10.8 surfaces once, after the turn in which the task faulted", async () => {
    const { lines, code } = await runBody(`
      fault("lost");
      console.log("same turn");
      queueMicrotask(() => queueMicrotask(() => console.log("microtasks")));
      setImmediate(() => console.log("next turn"));
      setTimeout(() => {}, 20);`);
    expect(lines).toEqual(["same turn", "microtasks", "unhandled lost", "next turn"]);
    expect(code).toBe(0);
  });

  it.each([
    [
      "then without a rejection handler, whose derived task reports it",
      `fault("x").then(() => {});`,
      ["unhandled x"],
    ],
    ["then with a handler", `fault("x").then(() => {}, () => {});`, []],
    [
      "catch in the same turn, some microtasks later",
      `const t = fault("x"); await null; await null; t.catch(() => {});`,
      [],
    ],
    ["native await", `try { await fault("x"); } catch { console.log("caught"); }`, ["caught"]],
    ["reading error", `fault("x").error;`, []],
    ["reading result", `try { fault("x").result; } catch {}`, []],
    ["suppressThrowing", `await fault("x").configureAwait({ suppressThrowing: true });`, []],
    ["continueWith", `fault("x").continueWith(() => {}, { policy: "yield" });`, []],
    [
      "continueWith for success alone",
      `fault("x").continueWith(() => {}, { on: "success" });`,
      ["unhandled x"],
    ],
    ["whenAll, which reports it", `Task.whenAll([fault("x"), 1]);`, ["unhandled x"]],
    ["whenAny, by handing out the winner", `Task.whenAny([fault("x")]);`, []],
    ["whenEach", `Task.whenEach([fault("x")]);`, []],
    [
      "whenEach with a signal that has fired",
      `Task.whenEach([fault("x")], { signal: AbortSignal.abort() });`,
      [],
    ],
    [
      "continueWith with a signal that has fired",
      `fault("x").continueWith(() => {}, { signal: AbortSignal.abort() });`,
      [],
    ],
    [
      "continueWith for success alone, with a signal that has fired",
      `fault("x").continueWith(() => {}, { on: "success", signal: AbortSignal.abort() });`,
      ["unhandled x"],
    ],
    ["setFromTask, which moves it", `new TaskCompletionSource().setFromTask(fault("x"));`, ["unhandled x"]],
    [
      "a wait that was given up",
      `const s = new TaskCompletionSource(); s.task.waitAsync({ signal: AbortSignal.abort() }); s.setError(new Error("x"));`,
      [],
    ],
  ])("A10.8 observing counts: %s", async (_, body, expected) => {
    const { lines } = await runBody(body);
    expect(lines).toEqual(expected);
  });

  it("A12.4 the fault of a loser of whenAny stays unobserved", async () => {
    const { lines } = await runBody(`
      const loser = new TaskCompletionSource();
      Task.whenAny([loser.task, 1]);
      loser.setError(new Error("loser"));`);
    expect(lines).toEqual(["unhandled loser"]);
  });

  it("a promise that loses in whenAny is its owner's alone, as in Promise.race", async () => {
    const { lines } = await runBody(`
      const promise = Promise.reject(new Error("loser"));
      promise.catch(() => console.log("handled by its owner"));
      Task.whenAny([Task.fromResult(1), promise]);
      Task.whenAny([Task.fromResult(1), { then: (_, reject) => setTimeout(reject, 1, new Error("thenable")) }]);`);
    expect(lines).toEqual(["handled by its owner"]);
  });

  it("promises given to a whenEach whose options are refused are left alone", async () => {
    const { lines } = await runBody(`
      const promise = Promise.reject(new Error("x"));
      promise.catch(() => console.log("handled by its owner"));
      try { Task.whenEach([promise], { sgnal: 1 }); } catch (error) { console.log(error.code); }`);
    expect(lines).toEqual(["ERR_SKEIN_UNKNOWN_OPTION", "handled by its owner"]);
  });

  it("A10.8 cancelled tasks never surface, and neither do their derived tasks", async () => {
    const { lines, code } = await runBody(`
      Task.fromCanceled();
      Task.fromCanceled(AbortSignal.abort()).then(() => {});
      Task.whenAll([Task.fromCanceled()]);
      Task.delay(10, { signal: AbortSignal.abort() });
      new TaskCompletionSource().task.waitAsync({ signal: AbortSignal.abort(new Error("reason")) });`);
    expect(lines).toEqual([]);
    expect(code).toBe(0);
  });

  it("many faults in one turn surface each once, in order", async () => {
    const { lines } = await runBody(`for (let i = 0; i < 100; i++) fault("f" + i);`);
    expect(lines).toEqual(Array.from({ length: 100 }, (_, i) => `unhandled f${i}`));
  });

  it("several errors surface as the AggregateError", async () => {
    const { lines } = await runBody(`new TaskCompletionSource().setError([new Error("a"), new Error("b")]);`);
    expect(lines).toEqual(["unhandled 2 errors occurred"]);
  });

  it("without a listener it ends the process, as Node's modes say", async () => {
    const strict = await runBody(`fault("fatal"); setTimeout(() => console.log("alive"), 50);`, [], false);
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain("fatal");
    expect(strict.lines).toEqual([]);
    const warn = await runBody(
      `fault("mild"); setTimeout(() => console.log("alive"), 50);`,
      ["--unhandled-rejections=warn"],
      false,
    );
    expect(warn.code).toBe(0);
    expect(warn.lines).toEqual(["alive"]);
  });
});

describe("A4.7 what is thrown outside of any task", () => {
  it("by a scheduler after it ran the item is an uncaught exception, the completer does not see it", async () => {
    const { lines } = await runBody(`
      class Late extends TaskScheduler {
        queueTask(item) { this.tryExecuteTask(item); throw new Error("late"); }
      }
      const source = new TaskCompletionSource({ continuations: new Late() });
      source.task.then(() => console.log("ran"));
      source.setResult(1);
      console.log("completer goes on");`);
    expect(lines).toEqual(["ran", "completer goes on", "uncaught late"]);
  });
});

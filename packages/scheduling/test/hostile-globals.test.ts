import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const entry = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);

/** A bit of everything, after `surroundings`. What it prints is right or an error. */
const program = `
  const failure = new Error("failure");
  const source = new CancellationTokenSource();
  const method = Task.async(function* () {
    yield* Task.yield();
    try { yield* Task.fromError(failure); } catch (error) { if (error !== failure) throw error; }
    yield* Task.fromResult(1).configureAwait({ forceYielding: true });
    return yield* Task.delay(1).waitAsync({ signal: source.signal, timeoutMs: 10_000 });
  });
  await method();
  const items = new BlockingCollection({ boundedCapacity: 1 });
  await items.add(1);
  const shared = new SharedBlockingCollection();
  shared.tryAdd({ a: 1 });
  if (shared.tryTake().a !== 1) throw new Error("lost");
  await new Promise((resolve) => new MessageLoop().post(resolve));
  await new AsyncSemaphore(1).waitAsync();
  const never = new TaskCompletionSource().task.waitAsync({ signal: source.token });
  source.cancel();
  const names = [never.error, new TimeoutError(), new ObjectDisposedError("x")].map((error) => error.name);
  const wrong = [];
  for (const act of [() => Task.delay("1"), () => new MessageLoop({ budget: 1 }), () => items.add(1, { signals: 1 })])
    try { act(); } catch (error) { wrong.push(error.code); }
  writeSync(1, [...names, ...wrong].join(" "));`;

const right =
  "AbortError TimeoutError ObjectDisposedError ERR_SKEIN_INVALID_ARG_TYPE ERR_SKEIN_UNKNOWN_OPTION ERR_SKEIN_UNKNOWN_OPTION";

async function run(surroundings: string, flags: string[] = []): Promise<string> {
  // Not console.log: the streams behind it fail where Object.prototype has a signal.
  const script = `
    import { writeSync } from "node:fs";
    import { AsyncSemaphore, BlockingCollection, CancellationTokenSource, MessageLoop, ObjectDisposedError,
      SharedBlockingCollection, Task, TaskCompletionSource, TimeoutError } from ${entry};
    ${surroundings}
    ${program}`;
  const args = ["--disable-warning=ExperimentalWarning", ...flags, "--input-type=module", "-e", script];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd });
  return stdout.trim();
}

describe("the package works where the program has", () => {
  it.each([
    ["done nothing", "", []],
    [
      "frozen Object.prototype, Error and Error.prototype",
      "for (const o of [Object.prototype, Error, Error.prototype, Function.prototype, Array.prototype, Promise.prototype]) Object.freeze(o);",
      [],
    ],
    ["frozen all intrinsics", "", ["--frozen-intrinsics"]],
    [
      "made Error.stackTraceLimit read-only",
      "Object.defineProperty(Error, 'stackTraceLimit', { value: 10, writable: false });",
      [],
    ],
    ["removed Error.stackTraceLimit", "delete Error.stackTraceLimit;", []],
    [
      "an Error.prepareStackTrace that gives call sites",
      "Error.prepareStackTrace = (_, sites) => sites;",
      [],
    ],
    ["an Error.prepareStackTrace that throws", "Error.prepareStackTrace = () => { throw 1; };", []],
    ["no Error.captureStackTrace", "delete Error.captureStackTrace;", []],
    [
      "polluted Object.prototype",
      `for (const name of ["signal", "once", "get", "set", "value", "cause", "policy", "timeoutMs", "continuations", "boundedCapacity", "passive"])
         Object.defineProperty(Object.prototype, name, { value: name === "get" || name === "set" ? () => 1 : "polluted", enumerable: true, writable: true, configurable: true, __proto__: null });`,
      [],
    ],
    [
      "replaced the timers",
      "for (const name of ['setImmediate', 'queueMicrotask', 'setInterval']) globalThis[name] = () => { throw new Error(name); };",
      [],
    ],
    [
      "numbers for timers",
      "const [set, clear, timers] = [setTimeout, clearTimeout, []]; globalThis.setTimeout = (...args) => timers.push(set(...args)) + 6; globalThis.clearTimeout = (id) => clear(timers[id - 7]);",
      [],
    ],
    [
      "signals of its own",
      "globalThis.AbortSignal = class {}; globalThis.AbortController = class {}; globalThis.EventTarget = class {};",
      [],
    ],
  ])("%s", async (_, surroundings, flags) => {
    expect(await run(surroundings, flags)).toBe(right);
  });
});

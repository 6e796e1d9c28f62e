/* oxlint-disable require-yield -- methods that complete without waiting are part of what is tested */
import { describe, expect, it } from "vitest";
import { InvalidOperationError, Task, TaskCompletionSource, ValueTask } from "../src/index.ts";
import { untyped } from "./untyped.ts";

/** Settings that refuse what they do not know, as strict test doubles do. */
function strict(): object {
  return new Proxy(
    { PORT: 1 },
    {
      get(target, key) {
        if (key === "then") return undefined;
        if (key in target) return Reflect.get(target, key);
        throw new ReferenceError(`no such setting: ${String(key)}`);
      },
    },
  );
}

/** The same, of those that refuse to be asked by `in` as well. */
function stricter(): object {
  const refuse = (): never => {
    throw new ReferenceError("no such thing");
  };
  return new Proxy({}, { get: (_, key) => (key === "then" ? undefined : refuse()), has: refuse });
}

/** Has a function for every property but `then`: test doubles, and remote objects, which are functions. */
function double(target: object): object {
  return new Proxy(target, { get: (_, key) => (key === "then" ? undefined : () => {}) });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** How a task comes by a value. */
const ways: [string, (value: object) => Task<unknown>][] = [
  ["Task.run", (value) => Task.run(() => value)],
  ["Task.run of an async function", (value) => Task.run(async () => value)],
  ["then", (value) => Task.fromResult(1).then(() => value)],
  ["then of a pending task", (value) => Task.delay(1).then(() => value)],
  ["continueWith", (value) => Task.fromResult(1).continueWith(() => value)],
  ["Task.from", (value) => Task.from(value)],
  ["Task.from of a promise", (value) => Task.from((async () => value)())],
  ["whenAll", (value) => Task.whenAll([value]).then(([first]) => first)],
  [
    "Task.async",
    Task.async(function* (value: object) {
      return value;
    }),
  ],
  [
    "Task.async, after a wait",
    Task.async(function* (value: object) {
      yield* Task.delay(1);
      return value;
    }),
  ],
  [
    "Task.async, from a promise",
    Task.async(function* (value: object) {
      return yield (async () => value)();
    }),
  ],
  [
    "ValueTask.async",
    (value) =>
      ValueTask.async(function* () {
        return value;
      })().asTask(),
  ],
];

/** Not the result itself: `expect` would ask it for a lot. */
async function succeeds(task: Task<unknown>): Promise<boolean> {
  return task.then(
    () => true,
    () => false,
  );
}

describe.each([
  ["an object that refuses unknown properties", strict],
  ["an object that refuses to be asked", stricter],
  ["an object that has every property", () => double({})],
  ["a function that has every property", () => double(() => {})],
])("%s is a result like others", (_, create) => {
  it.each(ways)("of %s", async (_way, make) => {
    const value = create();
    const task = make(value);
    expect(await succeeds(task)).toBe(true);
    expect(Object.is(task.result, value)).toBe(true);
  });

  it("of a TaskCompletionSource", () => {
    const value = create();
    const source = new TaskCompletionSource<unknown>();
    source.setResult(value);
    expect(Object.is(source.task.result, value)).toBe(true);
  });
});

describe("a Proxy that was revoked", () => {
  it.each(ways)("rejects, as with promises: %s", async (_, make) => {
    const task = make(revoked());
    await expect(task).rejects.toThrow(TypeError);
    expect(task.status).toBe("faulted");
  });

  it("is an error like others, and a result of those who ask for nothing", async () => {
    const value = revoked();
    const thrown = Task.run(() => {
      throw value;
    });
    expect(await succeeds(thrown)).toBe(false);
    expect(Object.is(thrown.error, value)).toBe(true);
    const source = new TaskCompletionSource<unknown>();
    source.setResult(value);
    expect(Object.is(source.task.result, value)).toBe(true);
    const faulted = new TaskCompletionSource<unknown>();
    faulted.setError(value);
    expect(Object.is(faulted.task.error, value)).toBe(true);
    let given: unknown;
    await source.task.then((result) => void (given = result));
    expect(Object.is(given, value)).toBe(true);
  });
});

it("a Proxy around a task rejects, as one around a promise does", async () => {
  const proxy: Task<number> = untyped(new Proxy(Task.fromResult(1), {}));
  for (const [, make] of ways) await expect(make(proxy)).rejects.toThrow(TypeError);
});

it("a thenable that gives back a Proxy that was revoked has decided", async () => {
  const thenable: PromiseLike<unknown> = untyped({
    then(resolve: (value: unknown) => void) {
      resolve(revoked());
      throw new InvalidOperationError("too late");
    },
  });
  await expect(Task.from(thenable)).rejects.toThrow(TypeError);
});

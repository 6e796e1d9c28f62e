import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it, vi } from "vitest";
import { Piscina } from "../src/index.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("tasks run, `drain` is told and close ends under fake timers and microtasks", async () => {
  const piscina = new Piscina({
    filename: fileURLToPath(new URL("fixtures/tasks.cjs", import.meta.url)),
    maxThreads: 1,
    maxQueue: 2,
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "queueMicrotask"] });
  const drained = once(piscina, "drain");
  const tasks = Array.from({ length: 3 }, (_, a) => piscina.run(a, { name: "promised" }));
  expect(await Promise.all(tasks)).toEqual([0, 2, 4]);
  await drained;
  await piscina.close();
});

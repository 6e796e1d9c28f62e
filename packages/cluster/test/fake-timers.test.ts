import { stat } from "node:fs/promises";
import { afterEach, expect, it, vi } from "vitest";
import { within } from "../src/connection.ts";
import { ClusterUnavailableError } from "../src/index.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("a store that answered while this thread stood still has answered in time", async () => {
  // After this come timers, and then what came in.
  await new Promise((resolve) => setImmediate(resolve));
  const answer = within(stat(import.meta.filename), 200, () => null);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
  expect((await answer).isFile()).toBe(true);
});

it("a store that does not answer is given up in time under fake timers, too", async () => {
  vi.useFakeTimers();
  const answer = within(new Promise(() => {}), 5, () => new Error("refused"));
  await expect(answer).rejects.toThrow(ClusterUnavailableError);
  await expect(answer).rejects.toMatchObject({ cause: { message: "refused" } });
});

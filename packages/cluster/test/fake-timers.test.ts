import { afterEach, expect, it, vi } from "vitest";
import { within } from "../src/connection.ts";
import { ClusterUnavailableError } from "../src/index.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("a store that does not answer is given up in time under fake timers, too", async () => {
  vi.useFakeTimers();
  const answer = within(new Promise(() => {}), 5, () => new Error("refused"));
  await expect(answer).rejects.toThrow(ClusterUnavailableError);
  await expect(answer).rejects.toMatchObject({ cause: { message: "refused" } });
});

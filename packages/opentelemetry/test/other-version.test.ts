import { AsyncLocalStorage } from "node:async_hooks";
import { flow } from "@skein/context";
import { expect, it } from "vitest";

it("a thread in which another version flows already is told so, and what to do", async () => {
  using _ = flow(new AsyncLocalStorage<unknown>(), { name: "skein.opentelemetry" });
  await expect(import("../src/register.ts")).rejects.toMatchObject({
    code: "ERR_SKEIN_DUPLICATE_NAME",
    message: expect.stringContaining("npm ls @skein/opentelemetry") as string,
  });
});

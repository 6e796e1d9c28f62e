import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runNode } from "../../../test/support/child.ts";

it("require gives the class itself, the same that import gives, with all that is exported on it", async () => {
  const program = fileURLToPath(new URL("fixtures/requires.cjs", import.meta.url));
  const { code, stdout, stderr } = await runNode({ args: [program] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({
    task: "by require",
    isOneClass: true,
    statics: ["default"],
    isWorkerThread: false,
  });
});

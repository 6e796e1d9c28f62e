/** Each example runs in a process of its own, on the built packages, and prints exactly what examples/README.md says. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runNode } from "../../test/support/child.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));
const names = globSync("*/main.ts", { cwd: folder }).map(dirname).toSorted();

/** What the README shows as the output of each example, by the name in the heading above it. */
const outputs = new Map(
  readFileSync(join(folder, "README.md"), "utf8")
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split("\n", 1)[0]!, /^```text\n(.*?)^```$/ms.exec(section)?.[1]]),
);

it("the README has a section with the output of each example, and of no other", () => {
  const shown = [...outputs].filter(([, output]) => output !== undefined).map(([name]) => name);
  expect(shown.toSorted()).toEqual(names);
});

it.each(names)("%s prints what the README shows", async (name) => {
  const program = join(folder, name, "main.ts");
  // SQLite, and on Node 22 TypeScript, would warn that they are experimental.
  const ended = await runNode({ args: ["--disable-warning=ExperimentalWarning", program] });
  expect(ended).toEqual({ code: 0, stdout: outputs.get(name), stderr: "" });
});

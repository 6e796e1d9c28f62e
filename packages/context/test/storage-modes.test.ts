/**
 * Node has two ways to run AsyncLocalStorages: async hooks (the default of Node 22) and context frames (of 24 and later).
 * It chooses when it starts. What we promise must hold in both, on every version that has both.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const modes: readonly (readonly [name: string, flags: readonly string[]])[] = [
  ["the default", []],
  ["async hooks", ["--no-async-context-frame"]],
  ["context frames", ["--experimental-async-context-frame"]],
];

function run(script: string, flags: readonly string[]): { output: string; errors: string } {
  const path = fileURLToPath(new URL(`./fixtures/${script}`, import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, "--expose-gc", path], {
    encoding: "utf8",
  });
  return { output: stdout.trim(), errors: stderr };
}

/** Node refuses to start with a flag that it does not know. */
const isKnown = (flags: readonly string[]): boolean =>
  spawnSync(process.execPath, [...flags, "-e", ""], { encoding: "utf8" }).status === 0;

describe.each(modes.filter(([, flags]) => isKnown(flags)))("where storages run on %s", (_, flags) => {
  it("nothing leaks from a scope's run into the next one or to its caller", () => {
    const { output, errors } = run("scope-hygiene.ts", flags);
    expect(errors).not.toContain("Error");
    expect(output).toBe("clean");
  });

  it("A1.3 a value set after an await stays in the callee, also where that is the first use of all", () => {
    const { output, errors } = run("first-use-in-callee.ts", flags);
    expect(errors).not.toContain("Error");
    expect(output).toBe("clean");
  });

  it("the root scope is empty, and pins nothing, where the package is first imported inside somebody's run", () => {
    const { output, errors } = run("first-import-in-a-request.ts", flags);
    expect(errors).not.toContain("Error");
    expect(output).toBe("clean");
  });
});

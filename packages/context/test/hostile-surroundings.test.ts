/** What a program has replaced, frozen or put on prototypes makes no difference. A program of its own for each. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { onlyAfterLoading, surroundings } from "./fixtures/surroundings.ts";

const program = fileURLToPath(new URL("./fixtures/hostile-program.ts", import.meta.url));

async function run(name: string, when: string, ...flags: string[]): Promise<string> {
  const args = ["--no-warnings", ...flags, program, name, when];
  const { stdout, stderr } = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors] = await Promise.all([text(stdout), text(stderr)]);
  return output.trim() || errors;
}

const names = Object.keys(surroundings);

describe("the package works in a program with", () => {
  it.each(names)("%s, made after it was loaded", async (name) => {
    expect(await run(name, "after")).toBe("right");
  });

  it.each(names.filter((name) => !onlyAfterLoading.has(name)))("%s, made before", async (name) => {
    expect(await run(name, "before")).toBe("right");
  });

  it("--frozen-intrinsics", async () => {
    expect(await run("nothing special", "after", "--frozen-intrinsics")).toBe("right");
  });
});

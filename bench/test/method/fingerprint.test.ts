import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeFingerprint } from "../../src/method/fingerprint.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skein-fingerprint-"));
  mkdirSync(join(folder, "bench"));
  cpSync(fileURLToPath(new URL("../../package.json", import.meta.url)), join(folder, "bench/package.json"));
  execFileSync("git", ["init", "--quiet", folder]);
  const author = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
  execFileSync("git", [
    "-C",
    folder,
    ...author,
    "commit",
    "--quiet",
    "--allow-empty",
    "--message",
    "nothing",
  ]);
});
afterEach(() => rmSync(folder, { recursive: true }));

function build(name: string, code: string): void {
  const at = (path: string): string => join(folder, "packages/one", path);
  for (const part of ["src", "dist"]) mkdirSync(at(part), { recursive: true });
  writeFileSync(at(`src/${name}.ts`), code);
  writeFileSync(at(`dist/${name}.js`), code);
  writeFileSync(at(`dist/${name}.js.map`), JSON.stringify({ version: 3, sources: [`../src/${name}.ts`] }));
}
const dist = (): string => takeFingerprint("full", folder).dist;

describe("the fingerprint of what was built", () => {
  it("is another one when a built file is", () => {
    build("a", "1");
    const before = dist();
    build("a", "2");
    expect(dist()).not.toBe(before);
    build("a", "1");
    expect(dist()).toBe(before);
  });

  it("does not see what an earlier build has left behind", () => {
    build("a", "1");
    const before = dist();
    build("b", "1");
    expect(dist()).not.toBe(before);
    rmSync(join(folder, "packages/one/src/b.ts"));
    expect(dist()).toBe(before);
  });

  it("there is none without a build", () => {
    expect(dist).toThrow(/Nothing has been built/);
  });
});

import { execFileSync } from "node:child_process";
import { chmodSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { analyse } from "../src/analyse.ts";
import { walk } from "../src/walk.ts";
import { ANALYSIS } from "./measured.ts";
import { temporaryTree } from "./temporary-tree.ts";

const never = new AbortController().signal;
const isRoot = process.getuid?.() === 0;

describe("walk", () => {
  it("finds source files in the order of their paths, and nothing else", async () => {
    const root = temporaryTree({
      "b/z.js": "1",
      "b/a.ts": "12",
      "a.mjs": "",
      "B.cjs": "",
      "README.md": "",
      "b-c.js": "",
    });
    const tree = await walk(root, never);
    expect(tree.files).toEqual([
      { path: "B.cjs", bytes: 0 },
      { path: "a.mjs", bytes: 0 },
      { path: "b-c.js", bytes: 0 },
      { path: "b/a.ts", bytes: 2 },
      { path: "b/z.js", bytes: 1 },
    ]);
    expect(tree).toMatchObject({ root, complete: true, directories: 2, notices: [] });
  });

  it("counts links and does not follow them", async () => {
    const root = temporaryTree({ "real/a.js": "" });
    symlinkSync("real", join(root, "linked"));
    symlinkSync("real/a.js", join(root, "linked.js"));
    const tree = await walk(root, never);
    expect(tree.files.map(({ path }) => path)).toEqual(["real/a.js"]);
    expect(tree.links).toEqual({ directories: 1, files: 1, broken: 0 });
    expect(tree.notices).toEqual([]);
  });

  it("names a link that leads back to a directory above it", async () => {
    const root = temporaryTree({ "a/b/c.js": "" });
    symlinkSync("../..", join(root, "a/b/up"));
    symlinkSync(".", join(root, "a/self"));
    const tree = await walk(root, never);
    expect(tree.files).toHaveLength(1);
    expect(tree.notices).toEqual([
      { path: "a/b/up", message: "symlink loop: leads back to ., not followed" },
      { path: "a/self", message: "symlink loop: leads back to a, not followed" },
    ]);
  });

  it("names links that point at each other, and links to nothing", async () => {
    const root = temporaryTree();
    symlinkSync("two", join(root, "one"));
    symlinkSync("one", join(root, "two"));
    symlinkSync("nowhere", join(root, "lost.js"));
    const tree = await walk(root, never);
    expect(tree.links).toEqual({ directories: 0, files: 0, broken: 3 });
    expect(tree.notices.map(({ message }) => message)).toEqual([
      "broken symlink: no such file or directory, not followed",
      "symlink loop: symbolic links in a loop, not followed",
      "symlink loop: symbolic links in a loop, not followed",
    ]);
  });

  it("enters a directory that has the name of a source file", async () => {
    const root = temporaryTree({ "chart.js/index.js": "" });
    expect((await walk(root, never)).files.map(({ path }) => path)).toEqual(["chart.js/index.js"]);
  });

  it.skipIf(process.platform === "win32")("does not open a pipe that has such a name", async () => {
    const root = temporaryTree();
    execFileSync("mkfifo", [join(root, "pipe.js")]);
    const tree = await walk(root, never);
    expect(tree.files).toEqual([]);
    expect(tree.notices).toEqual([{ path: "pipe.js", message: "skipped: not a regular file" }]);
  });

  it.skipIf(isRoot)("names a directory that it may not read", async () => {
    const root = temporaryTree({ "closed/a.js": "" });
    chmodSync(join(root, "closed"), 0);
    const tree = await walk(root, never);
    chmodSync(join(root, "closed"), 0o755);
    expect(tree.notices).toEqual([{ path: "closed", message: "unreadable directory: permission denied" }]);
  });

  it("throws when there is no such directory", async () => {
    await expect(walk(join(temporaryTree(), "none"), never)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("files that are not what they seem", () => {
  const reportOf = (path: string) => analyse(path, ANALYSIS, () => {});

  it("are unreadable when they are gone by the time they are read", () => {
    const message = "unreadable: no such file or directory";
    expect(reportOf(join(temporaryTree(), "gone.js"))).toEqual({ kind: "unreadable", bytes: 0, message });
  });

  it("are unreadable when they have become a directory", () => {
    const message = "unreadable: not a regular file";
    expect(reportOf(temporaryTree())).toMatchObject({ kind: "unreadable", message });
  });

  it.skipIf(isRoot)("are unreadable without permission", () => {
    const root = temporaryTree({ "a.js": "" });
    chmodSync(join(root, "a.js"), 0);
    expect(reportOf(join(root, "a.js"))).toMatchObject({ message: "unreadable: permission denied" });
  });

  it("are skipped above the limit, without being read", () => {
    const path = join(temporaryTree(), "huge.js");
    writeFileSync(path, "");
    truncateSync(path, 50_000_000);
    expect(reportOf(path)).toEqual({
      kind: "skipped",
      bytes: 50_000_000,
      message: "skipped: 50 MB, limit 2 MB",
    });
  });

  it("are parsed as far as they go when they are not text", () => {
    const path = join(temporaryTree(), "video.ts");
    writeFileSync(path, Buffer.from([0x47, 0x40, 0x00, 0xff, 0xfe, 0x0a, 0x80]));
    expect(reportOf(path)).toMatchObject({ kind: "parsed", bytes: 7, lines: 2, problemCount: 1 });
  });

  it("that nest too deeply for this thread are sent on", () => {
    const root = temporaryTree({ "deep.js": `x = ${"[".repeat(20_000)}${"]".repeat(20_000)};` });
    expect(reportOf(join(root, "deep.js"))).toEqual({ kind: "deep" });
  });
});

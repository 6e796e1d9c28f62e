import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PackageFinder } from "../src/package-of.ts";
import { temporaryTree } from "./temporary-tree.ts";

it("finds the package of a file", () => {
  const root = temporaryTree({
    "package.json": '{ "name": "workspace", "version": "1.0.0" }',
    "nameless/package.json": "{}",
    "broken/package.json": "{",
    "node_modules/plain/package.json": '{ "name": "other-name", "version": "2.0.0" }',
    "node_modules/plain/esm/package.json": '{ "type": "module" }',
    "node_modules/.pnpm/@a+b@3.0.0/node_modules/@a/b/package.json": '{ "version": "3.0.0" }',
  });
  const finder = new PackageFinder();
  const found = (path: string): string => {
    const { name, version, directory } = finder.packageOf(join(root, path));
    return `${name} ${version} ${directory.slice(root.length + 1)}`;
  };
  expect(found("src/deep/a.js")).toBe("workspace 1.0.0 ");
  expect(found("nameless/a.js")).toBe("nameless null nameless");
  expect(found("broken/a.js")).toBe("broken null broken");
  expect(found("node_modules/plain/esm/a.js")).toBe("plain 2.0.0 node_modules/plain");
  expect(found("node_modules/plain/node_modules/inner/a.js")).toBe(
    "inner null node_modules/plain/node_modules/inner",
  );
  const inStore = "node_modules/.pnpm/@a+b@3.0.0/node_modules/@a/b";
  expect(found(`${inStore}/dist/a.js`)).toBe(`@a/b 3.0.0 ${inStore}`);
});

it("takes no package.json that is too large or not a file", () => {
  const root = temporaryTree({
    "package.json": '{ "name": "workspace" }',
    "large/package.json": `{ "name": "large" }${" ".repeat(1 << 20)}`,
    "pipe/a.js": "",
  });
  execFileSync("mkfifo", [join(root, "pipe/package.json")]);
  const finder = new PackageFinder();
  for (const path of ["large/a.js", "pipe/a.js"])
    expect(finder.packageOf(join(root, path)).name).toBe("workspace");
});

/** A program that was bundled has a pool of its own copy of @skein/pool; the devtools, which stay outside of the bundle, have another. */
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ThreadPool } from "@skein/pool";
import { afterAll, expect, it } from "vitest";
import { readFeed } from "../src/feed.ts";
import { serveDevtools } from "../src/index.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "skein-devtools-copy-")));
afterAll(() => rmSync(folder, { recursive: true }));

// In node_modules, from where the test runner loads modules as they are.
const modules = join(folder, "node_modules");
const poolFolder = fileURLToPath(new URL("../../pool/", import.meta.url));
cpSync(join(poolFolder, "dist"), join(modules, "bundled/dist"), { recursive: true });
symlinkSync(join(poolFolder, "node_modules/@skein"), join(modules, "@skein"));
writeFileSync(join(modules, "bundled/package.json"), '{ "type": "module" }');

it("a pool of another copy is shown", async () => {
  const bundled = (await import(pathToFileURL(join(modules, "bundled/dist/index.js")).href)) as {
    readonly ThreadPool: typeof ThreadPool;
  };
  expect(bundled.ThreadPool).not.toBe(ThreadPool);
  await using pool = new bundled.ThreadPool({ maxThreads: 1 });
  await using devtools = await serveDevtools(pool, { port: 0 });
  function price(items: number): number {
    return items * 12;
  }
  let isShown = false;
  for await (const message of readFeed(devtools.url)) {
    isShown = message.type === "batch" && message.functions.some(([, name]) => name === "price");
    if (isShown) break;
    void pool.run(price, [2]);
  }
  expect(isShown).toBe(true);
});

it.each([null, undefined, {}, Object.create(ThreadPool.shared) as object])("%o is no pool", (other) => {
  expect(() => void serveDevtools(other as ThreadPool)).toThrow("Expected `pool` to be a ThreadPool");
});

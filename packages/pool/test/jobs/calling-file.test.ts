import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { poolUrl, runProgram } from "./run-program.ts";
import { writtenFiles } from "./written-files.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

vi.setConfig({ testTimeout: timeLimit(120_000) });

const packages = {
  "node_modules/found/package.json": `{ "name": "found", "main": "index.cjs" }`,
  "node_modules/found/index.cjs": `module.exports = "found";`,
};
const begin = `import { ThreadPool } from ${JSON.stringify(poolUrl)}; const pool = new ThreadPool({ maxThreads: 1 });`;
const job = `async () => (await import("found")).default`;
const end = "await pool.close();";

describe("an inline function imports from where it was written, whatever the working directory", () => {
  const ways: [string, string][] = [
    ["run", `console.log(await pool.run(${job}, []));`],
    [
      "run, in a function that is called later",
      `await new Promise((r) => setTimeout(r)); console.log(await pool.run(${job}, []));`,
    ],
    ["broadcast", `console.log((await pool.broadcast(${job}, []))[0]);`],
    ["map", `for await (const x of pool.map(${job}, [1])) console.log(x);`],
    ["map, in chunks", `for await (const x of pool.map(${job}, [1], { chunkSize: 4 })) console.log(x);`],
    [
      "map, asked from elsewhere",
      `const all = pool.map(${job}, [1]); await new Promise((r) => setTimeout(r)); console.log(await new Promise((r) => setTimeout(async () => r((await all.next()).value))));`,
    ],
    [
      "in a callback of Node",
      `console.log(await new Promise((resolve) => process.nextTick(() => resolve(pool.run(${job}, [])))));`,
    ],
    ["in eval", `console.log(await eval(${JSON.stringify(`pool.run(${job}, [])`)}));`],
    ["with require", `console.log(await pool.run(() => require("found"), []));`],
    [
      "in a job that passes it on",
      `console.log(await pool.run(async (url) => { const { ThreadPool } = await import(url); return await ThreadPool.current.run(async () => (await import("found")).default, []); }, [${JSON.stringify(poolUrl)}]));`,
    ],
    [
      "with a formatter of stacks that throws",
      `Error.prepareStackTrace = () => { throw new Error("no"); }; const t = pool.run(${job}, []); delete Error.prepareStackTrace; console.log(await t);`,
    ],
    ["without stack frames", `Error.stackTraceLimit = 0; console.log(await pool.run(${job}, []));`],
  ];

  it("by all ways in", async () => {
    const all = ways.map(([name, text]) => `console.log(${JSON.stringify(name)}); { ${text} }`);
    const folder = writtenFiles({ ...packages, "service.mjs": [begin, ...all, end].join("\n") });
    const { stdout, stderr } = await runProgram([join(folder, "service.mjs")], { cwd: "/" });
    const expected = ways.map(([name]) => `${name}\nfound\n`).join("");
    expect({ stdout, stderr }).toEqual({ stdout: expected, stderr: "" });
  });

  it("in CommonJS, and below a name that a URL writes in another way", async () => {
    const text = `import(${JSON.stringify(poolUrl)}).then(async ({ ThreadPool }) => { const pool = new ThreadPool({ maxThreads: 1 }); console.log(await pool.run(${job}, [])); ${end} });`;
    const folder = writtenFiles(
      Object.fromEntries(
        Object.entries({ ...packages, "a service.cjs": text }).map(([name, t]) => [
          `my söft%ware/${name}`,
          t,
        ]),
      ),
    );
    const { stdout } = await runProgram([join(folder, "my söft%ware", "a service.cjs")], { cwd: "/" });
    expect(stdout).toBe("found\n");
  });

  it("without a file, from the working directory", async () => {
    const folder = writtenFiles(packages);
    const text = begin + `console.log(await pool.run(${job}, []));` + end;
    const { stdout } = await runProgram(["--input-type=module", "-e", text], { cwd: folder });
    expect(stdout).toBe("found\n");
  });
});

describe("what an inline function knows of its file", () => {
  let pool: ThreadPool;
  beforeAll(() => {
    pool = new ThreadPool({ maxThreads: 1 });
  });
  afterAll(() => pool.close());

  it("__filename and __dirname", async () => {
    expect(await pool.run(() => [__filename, __dirname], [])).toEqual([
      fileURLToPath(import.meta.url),
      import.meta.dirname,
    ]);
  });

  it("import(), which Vitest replaces by a helper of its own", async () => {
    expect(await pool.run(async () => (await import("node:path")).basename("/a/b"), [])).toBe("b");
  });

  it("the same text from two files is two functions", async () => {
    const text = `import { ThreadPool } from ${JSON.stringify(poolUrl)}; export const ask = (pool) => pool.run(() => __dirname, []);`;
    const folder = writtenFiles({ "a/x.mjs": text, "b/x.mjs": text });
    const askers = await Promise.all(
      ["a", "b"].map(async (name) => {
        const url: string = new URL(`file://${join(folder, name, "x.mjs")}`).href;
        return (await import(/* @vite-ignore */ url)) as { ask(pool: ThreadPool): Promise<string> };
      }),
    );
    expect(await Promise.all(askers.map((asker) => asker.ask(pool)))).toEqual([
      join(folder, "a"),
      join(folder, "b"),
    ]);
  });
});

// oxlint-disable typescript/no-unsafe-type-assertion -- what the program wrote has no static type
import {
  chmodSync,
  copyFileSync,
  linkSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  watch,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { startRedis } from "../../../test/support/redis-server.ts";
import { checkPlaces } from "../src/check-places.ts";
import { UsageError } from "../src/command-line.ts";
import { runCli } from "./run-cli.ts";
import { temporaryTree } from "./temporary-tree.ts";

const redis = await startRedis();
afterAll(() => redis?.[Symbol.asyncDispose]());

const FILES = {
  "node_modules/a/package.json": '{ "name": "a", "version": "1.2.3" }',
  "node_modules/a/index.js": "module.exports = function (b) { return b && b.c ? b : (() => 1); };\n",
  "node_modules/a/broken.js": "function (",
  "src/b.ts": "export const b = (c: number): number => c + 1;\n",
  "src/deep.js": `x = ${"[".repeat(3000)}${"]".repeat(3000)};\n`,
};

interface Result {
  run: { digest: string; correlationId: string; threads: number };
  complete: boolean;
  totals: Record<string, number>;
  notices: { path: string; message: string }[];
}

function readResult(path: string): Result {
  return JSON.parse(readFileSync(path, "utf8")) as Result;
}

function logLines(path: string): Record<string, unknown>[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("census", () => {
  it("writes a timeline with a slice for every file", async () => {
    const trace = join(temporaryTree(), "trace.json");
    expect(await runCli([temporaryTree(FILES), "--threads", "1", "--trace", trace])).toMatchObject({
      code: 0,
    });
    const { traceEvents } = JSON.parse(readFileSync(trace, "utf8")) as {
      traceEvents: { name: string }[];
    };
    for (const name of ["submit analyseFile", "settle analyseFile"])
      expect(traceEvents.filter((event) => event.name === name)).toHaveLength(4);
  });

  it("gives the same result with no pool, one thread and two, under every policy", async () => {
    const root = temporaryTree(FILES);
    const out = temporaryTree();
    const runs = [["0"], ["1"], ["2", "inline"], ["2", "asynchronous"], ["2", "yield"]];
    const texts: string[] = [];
    for (const [index, [threads = "", policy = "inline"]] of runs.entries()) {
      const json = join(out, `${index}.json`);
      const result = await runCli([root, "--threads", threads, "--policy", policy, "--json", json]);
      expect(result).toMatchObject({ code: 0, stderr: "" });
      const { run, totals } = readResult(json);
      expect(result.stdout).toContain(`result ${run.digest.slice(0, 16)}`);
      expect(run.threads).toBe(Number(threads));
      expect(totals).toMatchObject({ files: 4, functions: 3, syntaxErrors: 1 });
      texts.push(readFileSync(json, "utf8").replace(/^ "run": .*$/m, ""));
    }
    expect(new Set(texts).size).toBe(1);
  });

  it.each(["0", "2"])(
    "logs every file with both ids, written where it was analysed (--threads %s)",
    async (threads) => {
      const root = temporaryTree(FILES);
      const log = join(temporaryTree(), "census.log");
      const args = [root, "--threads", threads, "--log", log, "--verbose", "--correlation-id", "scan-7"];
      expect(await runCli(args)).toMatchObject({ code: 0, stderr: "" });
      const lines = logLines(log);
      const perFile = new Map(lines.map((line) => [line["file"], line]));
      expect([...perFile.keys()].map(String).toSorted()).toEqual(
        ["node_modules/a/broken.js", "node_modules/a/index.js", "src/b.ts", "src/deep.js"].map((path) =>
          join(root, path),
        ),
      );
      expect(new Set(lines.map((line) => line["census.scan"]))).toEqual(new Set(["scan-7"]));
      expect([...perFile.values()].map((line) => String(line["census.file"])).toSorted()).toEqual(
        ["1", "2", "3", "4"].map((number) => `scan-7/00000${number}`),
      );
      expect(perFile.get(join(root, "node_modules/a/broken.js"))).toMatchObject({
        level: "warn",
        msg: "syntax errors",
      });
      const ordinary = lines.filter(({ file }) => !String(file).endsWith("deep.js"));
      expect(ordinary.every(({ threadId }) => (threadId === 0) === (threads === "0"))).toBe(true);
    },
  );

  it("kills a thread half-way with --chaos, with the same result", async () => {
    const root = temporaryTree(FILES);
    const json = join(temporaryTree(), "result.json");
    const digests: string[] = [];
    for (const extra of [[], ["--chaos"]]) {
      const { code, stdout, stderr } = await runCli([root, "--threads", "2", "--json", json, ...extra]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout.includes("a thread was killed half-way")).toBe(extra.length > 0);
      digests.push(readResult(json).run.digest);
    }
    expect(digests[1]).toBe(digests[0]);
  });

  it.skipIf(redis === null)(
    "takes the census on two worker processes, one of which is killed, with the same result",
    async () => {
      const root = temporaryTree(FILES);
      const [json, log] = [join(temporaryTree(), "result.json"), join(temporaryTree(), "census.log")];
      const env = { SKEIN_CLUSTER_URL: redis!.url };
      const digests: string[] = [];
      for (const extra of [
        ["--threads", "1"],
        ["--engine", "cluster", "--workers", "2", "--chaos"],
      ]) {
        const args = [
          root,
          "--json",
          json,
          "--log",
          log,
          "--verbose",
          "--correlation-id",
          "scan-9",
          ...extra,
        ];
        const { code, stdout, stderr } = await runCli(args, undefined, env);
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout.includes("a worker process was killed half-way")).toBe(extra.includes("--chaos"));
        digests.push(readResult(json).run.digest);
      }
      expect(digests[1]).toBe(digests[0]);
      expect(new Set(logLines(log).map((line) => line["census.scan"]))).toEqual(new Set(["scan-9"]));
    },
  );

  it("ends with what could be seen: each policy, lines of the log, the search, the rows", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`src/f${i}.js`, FILES["src/b.ts"]]),
    );
    const { code, stdout, stderr } = await runCli([
      temporaryTree(files),
      "--threads",
      "2",
      "--correlation-id",
      "scan-8",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const policy of ["inline", "asynchronous", "yield"])
      expect(stdout).toMatch(new RegExp(`^ ${policy} +p99 [\\d.]+ ms  [▁▂▃▄▅▆▇█]+$`, "m"));
    expect(stdout).toMatch(/^ thread \d+ {2}scan-8\/0000\d\d {2}syntax errors f\d+\.js$/m);
    expect(stdout).toMatch(/^ fork\/join +repeated code was searched among \d+ functions/m);
    expect(stdout).toMatch(/^ batching +\d+ rows in \d+ batch(?:es)? into SQLite/m);
    expect(stdout).toContain("census, with");
  });

  it("has a clear line for everything that it leaves out", async () => {
    const root = temporaryTree({ "a.js": "" });
    writeFileSync(join(root, "huge.js"), "");
    truncateSync(join(root, "huge.js"), 50_000_000);
    symlinkSync("..", join(root, "loop"));
    symlinkSync("nowhere.js", join(root, "lost.js"));
    const { code, stdout, stderr } = await runCli([root, "--threads", "0"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("huge.js  skipped: 50 MB, limit 2 MB");
    expect(stdout).toContain("lost.js  broken symlink: no such file or directory, not followed");
    expect(stdout).not.toContain("    at ");
  });

  it("prints JSON alone when asked to", async () => {
    const { code, stdout } = await runCli([temporaryTree(FILES), "--threads", "0", "--json", "-"]);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Result).complete).toBe(true);
  });

  it("writes the page", async () => {
    const root = temporaryTree({ ...FILES, "<img src=x onerror=alert(1)>.js": "f()" });
    const page = join(temporaryTree(), "page.html");
    expect(await runCli([root, "--threads", "0", "--html", page])).toMatchObject({ code: 0, stderr: "" });
    const html = readFileSync(page, "utf8");
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toContain("<img");
    expect(html).toContain("\\u003cimg src=x");
  });

  it("compares no pool with the pool under each policy", async () => {
    const { code, stdout } = await runCli([temporaryTree(FILES), "--threads", "2", "--compare"]);
    expect(code).toBe(0);
    for (const row of ["no pool", "2 threads, inline", "2 threads, asynchronous", "2 threads, yield"]) {
      expect(stdout).toMatch(new RegExp(`${row} +[\\d.]+ m?s +[\\d.]+× +[\\d,]+ +[\\d.]+ ms +[0-9a-f]{16}`));
    }
    expect(stdout).toContain("All results are identical.");
  });

  it("says so when there is nothing to count", async () => {
    const { code, stdout } = await runCli([temporaryTree({ "README.md": "" }), "--threads", "0"]);
    expect(code).toBe(0);
    expect(stdout).toContain("No JavaScript or TypeScript files here.");
    const comparison = await runCli([temporaryTree(), "--threads", "1", "--compare"]);
    expect(comparison).toMatchObject({ code: 0, stdout: expect.stringContaining("Nothing to compare") });
  });
});

describe("wrong usage is one line and exit code 2", () => {
  it.each([
    [["--nonsense"], "unknown option '--nonsense'"],
    [["--threads", "x"], '--threads must be a whole number from 0 to 256, got "x"'],
    [["/no/such/place"], "cannot read /no/such/place: no such file or directory"],
    [[import.meta.filename], `${import.meta.filename} is not a directory`],
    [
      [".", "--json", "/no/such/place/x.json"],
      "cannot write /no/such/place/x.json: no such file or directory",
    ],
    [[".", "--log", "/"], "cannot write /: it is a directory"],
  ])("%j", async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: `census: ${message} (census --help explains)\n`,
    });
  });

  it.skipIf(process.platform === "win32")("and so is a directory that may not be read", () => {
    const root = temporaryTree({ "a.js": "" });
    chmodSync(root, 0o000);
    // Root may read anything, so for a moment this process is somebody else.
    const isRoot = process.geteuid!() === 0;
    if (isRoot) process.seteuid!("nobody");
    try {
      const places = { directory: root, json: null, html: null, log: null, db: null, trace: null };
      expect(() => checkPlaces(places)).toThrow(new UsageError(`cannot read ${root}: permission denied`));
    } finally {
      if (isRoot) process.seteuid!(0);
    }
  });

  it("and --help is none", async () => {
    const { code, stdout, stderr } = await runCli(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: census/);
  });
});

describe.skipIf(process.platform === "win32")("Ctrl-C", () => {
  const LARGE_FILES = 100;

  /** Many large files: seconds of work, so that the signal arrives in the midst of it. */
  function largeTree(): string {
    const root = temporaryTree();
    const parser = createRequire(import.meta.url).resolve("@babel/parser");
    copyFileSync(parser, join(root, "000.js"));
    for (let number = 1; number < LARGE_FILES; number++) {
      linkSync(join(root, "000.js"), join(root, `${String(number).padStart(3, "0")}.js`));
    }
    return root;
  }

  it.each(["0", "2"])("ends with the partial result and 130 (--threads %s)", async (threads) => {
    const root = largeTree();
    const out = temporaryTree({ "census.log": "" });
    const json = join(out, "result.json");
    const args = [root, "--threads", threads, "--json", json, "--log", join(out, "census.log"), "--verbose"];
    const { code, stdout, stderr } = await runCli(args, (child) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      // The first line of the log: a file is done.
      const watcher = watch(join(out, "census.log"), () => {
        watcher.close();
        child.kill("SIGINT");
        resolve();
      });
      child.once("exit", () => resolve());
      return promise;
    });
    expect(code).toBe(130);
    expect(stdout).toContain("Partial result: cancelled after");
    expect(stdout + stderr).not.toContain("    at ");
    const { complete, totals } = readResult(json);
    expect(complete).toBe(false);
    expect(totals["pending"]).toBeGreaterThan(0);
    expect(totals["parsed"]! + totals["pending"]!).toBe(LARGE_FILES);
  });
});

it("on a Node.js that is too old a sentence says so", () => {
  // The version is all that the first file looks at, so that it parses wherever modules do.
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const setVersion = 'Object.defineProperty(process.versions, "node", { value: "20.20.2" });';
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(setVersion)}`, main],
    { encoding: "utf8" },
  );
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^census: needs Node\.js 22\.18 or later, this is 20\.20\.2\. [^\n]*\n$/);
});

it("FORCE_COLOR colours what is piped", async () => {
  const { stdout } = await runCli([temporaryTree(), "--threads", "0"], undefined, { FORCE_COLOR: "1" });
  expect(stdout).toContain("\u001B[1mCensus\u001B[22m");
});

import { execFileSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ThreadCrashedError } from "@skein/pool";
import { fileId, scanId } from "../src/correlation.ts";
import { openDirectEngine } from "../src/engine.ts";
import { LoopWatch } from "../src/loop-watch.ts";
import type { Policy } from "../src/options.ts";
import type { Engine } from "../src/engine.ts";
import { analyseFile } from "../src/file.jobs.ts";
import { digestOf, toJson } from "../src/json.ts";
import { scan } from "../src/scan.ts";
import type { ScanOptions } from "../src/scan.ts";
import { walk } from "../src/walk.ts";
import type { Tree } from "../src/walk.ts";
import { ANALYSIS, censusOf } from "./measured.ts";
import { temporaryTree } from "./temporary-tree.ts";

const SMALL = "export function f(a) { return a ? f(a - 1) : [a, a, a].map((b) => b * 2); }\n";
const FILES = {
  "node_modules/one/package.json": '{ "version": "1.0.0" }',
  "node_modules/one/index.js": SMALL,
  "node_modules/one/copy.mjs": SMALL.replaceAll("a", "z"),
  "node_modules/@two/x/package.json": '{ "version": "2.0.0" }',
  "node_modules/@two/x/x.d.ts": "export declare const a: number;\n",
  "node_modules/@two/x/bad.js": "let a; let a;\n}",
  "own/large.js": `/*${"x".repeat(3000)}*/`,
  "own/view.tsx": "export const View = () => <p>{1}</p>;\n",
  "own/empty.cjs": "",
};

async function exampleTree(): Promise<Tree> {
  const root = temporaryTree(FILES);
  symlinkSync("..", join(root, "own/up"));
  return walk(root, new AbortController().signal);
}

function options(overrides: Partial<ScanOptions> = {}): ScanOptions {
  const analysis = { ...ANALYSIS, maxFileBytes: 2500 };
  return {
    correlationId: "test",
    analysis,
    signal: new AbortController().signal,
    policy: "asynchronous",
    ...overrides,
  };
}

/** Analyses on this thread, but answers in the order that `finish` picks. */
function shuffledEngine(lookAhead: number, pick: (waiting: number) => number): Engine {
  const waiting: (() => void)[] = [];
  const finishOne = (): void => waiting.splice(pick(waiting.length), 1)[0]?.();
  return {
    lookAhead,
    analyse: (path, analysis) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(analyseFile(path, analysis)));
        setImmediate(finishOne);
      }),
    findRepeats: (words) => openDirectEngine().findRepeats(words),
    close: async () => {},
  };
}

describe("scan", () => {
  it("gives the same census in whatever order the files are done", async () => {
    const tree = await exampleTree();
    const expected = await scan(tree, openDirectEngine(), options());
    const digest = digestOf(censusOf(tree, expected.reports, options().analysis));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 10 }),
        fc.infiniteStream(fc.nat()),
        async (lookAhead, picks) => {
          const engine = shuffledEngine(lookAhead, (waiting) => picks.next().value! % Math.max(1, waiting));
          const { reports } = await scan(tree, engine, options());
          expect(digestOf(censusOf(tree, reports, options().analysis))).toBe(digest);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("counts what is there", async () => {
    const tree = await exampleTree();
    const { reports } = await scan(tree, openDirectEngine(), options());
    const census = censusOf(tree, reports, options().analysis);
    expect(census.complete).toBe(true);
    expect(census.totals).toEqual({
      packages: 3,
      directories: 6,
      files: 7,
      parsed: 6,
      skipped: 1,
      unreadable: 0,
      pending: 0,
      bytes: 237,
      lines: 6,
      functions: 5,
      complexity: 7,
      syntaxErrors: 1,
      filesWithErrors: 1,
      duplicateGroups: 1,
      repeatedFunctions: 1,
      repeatedLines: 1,
    });
    expect(census.packages.map(({ name, version, files }) => [name, version, files])).toEqual([
      ["@two/x", "2.0.0", 2],
      ["one", "1.0.0", 2],
      ["(no package)", null, 2],
    ]);
    expect(census.notices).toEqual([
      { path: "own/large.js", message: "skipped: 3 kB, limit 2.5 kB" },
      { path: "own/up", message: "symlink loop: leads back to ., not followed" },
    ]);
  });

  it("never has more under way than the engine looks ahead", async () => {
    const tree = await exampleTree();
    let underWay = 0;
    let most = 0;
    const engine = shuffledEngine(3, () => 0);
    const counting: Engine = {
      ...engine,
      async analyse(path, analysis, signal, policy) {
        most = Math.max(most, ++underWay);
        const report = await engine.analyse(path, analysis, signal, policy);
        underWay--;
        return report;
      },
    };
    await scan(tree, counting, options());
    expect(most).toBe(3);
  });

  it("has a third of the work continue under each policy, in turn", async () => {
    const tree = await exampleTree();
    const seen: Policy[] = [];
    const direct = openDirectEngine();
    const engine: Engine = {
      ...direct,
      analyse: (path, analysis, signal, policy) => {
        seen.push(policy);
        return direct.analyse(path, analysis, signal, policy);
      },
    };
    const loop = new LoopWatch();
    await scan(tree, engine, options({ policy: "each", loop }));
    loop.stop();
    expect(seen).toHaveLength(tree.files.length);
    expect(seen).toEqual(seen.toSorted());
    expect(new Set(seen)).toEqual(new Set(loop.records.map(({ policy }) => policy)));
    expect(seen[0]).toBe("inline");
    expect(loop.records.length).toBeGreaterThan(1);
  });

  it("gives every file an id of its own under the scan's, and no id is left behind", async () => {
    const tree = await exampleTree();
    const ids: string[] = [];
    const engine: Engine = {
      ...openDirectEngine(),
      lookAhead: 4,
      async analyse() {
        await Promise.resolve();
        ids.push(`${scanId.value} ${fileId.value}`);
        return { kind: "skipped", bytes: 0, message: "" };
      },
    };
    await scan(tree, engine, options());
    expect(ids).toEqual(tree.files.map((_, index) => `test test/00000${index + 1}`));
    expect([scanId.value, fileId.value]).toEqual([undefined, undefined]);
  });

  it("reports a file whose thread died, and goes on", async () => {
    const tree = await exampleTree();
    const direct = openDirectEngine();
    const engine: Engine = {
      ...direct,
      analyse: async (path, analysis, signal, policy) => {
        if (path.endsWith("index.js")) throw new Error("the thread ran out of memory\n    at somewhere");
        return direct.analyse(path, analysis, signal, policy);
      },
    };
    const { reports } = await scan(tree, engine, options());
    const census = censusOf(tree, reports, options().analysis);
    expect(census.totals).toMatchObject({ parsed: 5, unreadable: 1, pending: 0 });
    expect(census.notices[0]).toEqual({
      path: "node_modules/one/index.js",
      message: "not analysed: the thread ran out of memory",
    });
  });

  it("tries a file again whose thread somebody ended", async () => {
    const tree = await exampleTree();
    const direct = openDirectEngine();
    const expected = await scan(tree, direct, options());
    const tried = new Set<string>();
    const engine: Engine = {
      ...direct,
      analyse: async (path, analysis, signal, policy) => {
        if (tried.has(path)) return await direct.analyse(path, analysis, signal, policy);
        tried.add(path);
        throw new ThreadCrashedError(1, { wasTerminated: true });
      },
    };
    expect((await scan(tree, engine, options())).reports).toEqual(expected.reports);
  });

  it("does not open what has become a link or a pipe since it was found", async () => {
    const root = temporaryTree({ "a.js": SMALL, "b.js": SMALL, "c.js": SMALL });
    const tree = await walk(root, new AbortController().signal);
    for (const name of ["a.js", "b.js"]) rmSync(join(root, name));
    symlinkSync("c.js", join(root, "a.js"));
    execFileSync("mkfifo", [join(root, "b.js")]);
    const { reports } = await scan(tree, openDirectEngine(), options());
    expect(reports).toMatchObject([{ kind: "unreadable" }, { kind: "unreadable" }, { kind: "parsed" }]);
  });

  it("keeps what is done when it is cancelled", async () => {
    const tree = await exampleTree();
    const controller = new AbortController();
    let done = 0;
    const onFile = (): void => {
      if (++done === 2) controller.abort(new Error("enough"));
    };
    const { reports } = await scan(tree, openDirectEngine(), options({ signal: controller.signal, onFile }));
    const census = censusOf(tree, reports, options().analysis);
    expect(census.complete).toBe(false);
    expect(census.totals).toMatchObject({ files: 7, parsed: 2, pending: 5 });
  });

  it("analyses files that nest too deeply on a thread with a large stack", async () => {
    const root = temporaryTree({ "deep.js": `x = ${"[".repeat(10_000)}() => 1${"]".repeat(10_000)};` });
    const tree = await walk(root, new AbortController().signal);
    const { reports } = await scan(tree, openDirectEngine(), options({ analysis: ANALYSIS }));
    expect(reports).toMatchObject([{ kind: "parsed", functions: 1, problemCount: 0 }]);
    const controller = new AbortController();
    const direct = openDirectEngine();
    const engine: Engine = {
      ...direct,
      analyse: async (path, analysis, signal, policy) => {
        const report = await direct.analyse(path, analysis, signal, policy);
        // When the thread has been asked, and cannot have answered.
        setImmediate(() => controller.abort());
        return report;
      },
    };
    const cancelled = await scan(tree, engine, options({ analysis: ANALYSIS, signal: controller.signal }));
    expect(cancelled.reports).toEqual([undefined]);
  });
});

it("writes JSON whose records can be compared line by line, with the digest of all but `run`", async () => {
  const tree = await exampleTree();
  const { reports } = await scan(tree, openDirectEngine(), options());
  const census = censusOf(tree, reports, options().analysis);
  const run = {
    correlationId: "test",
    root: tree.root,
    threads: 0,
    policy: null,
    startedAt: "2026-01-01T00:00:00.000Z",
    walkMs: 1,
    analysisMs: 2,
    cpuMs: 1500,
    delayP99Ms: 3,
  };
  const text = toJson(census, run);
  expect(JSON.parse(text)).toEqual({ run: { ...run, digest: digestOf(census) }, ...census });
  const other = toJson(census, { ...run, threads: 8, analysisMs: 1 });
  const changed = text.split("\n").filter((line, index) => line !== other.split("\n")[index]);
  expect(changed).toHaveLength(1);
  expect(changed[0]).toMatch(/^ "run": /);
});

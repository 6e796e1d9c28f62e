// oxlint-disable typescript/no-unsafe-type-assertion -- values of every kind, also wrong ones, are what is tested
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { loadJobModule } from "../../src/jobs/load-module.ts";
import { writtenFiles } from "./written-files.ts";

interface Report {
  value?: unknown;
  names?: string[];
  name?: string;
  message?: string;
  code?: string;
  throwsCount?: number;
}

const fixture = (name: string) => new URL(`./fixtures/${name}`, import.meta.url).href;

async function loadInThread(...urls: string[]): Promise<Report[]> {
  const worker = new Worker(new URL("./fixtures/loader.ts", import.meta.url), { workerData: urls });
  const [reports] = (await once(worker, "message")) as [Report[]];
  await worker.terminate();
  return reports;
}

describe("a job module is loaded in its thread", () => {
  // A project that has no tsx: nothing above it does, either.
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skein-no-tsx-"));
    for (const name of ["enum.ts", "element.tsx", "decorated.ts"]) {
      await cp(new URL(`./fixtures/${name}`, import.meta.url), join(folder, name));
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ["plain.mjs", "from mjs"],
    ["plain.cjs", "from cjs"],
    ["top-level-await.ts", "awaited"],
    ["enum.ts", 2],
    ["uses-enum.ts", 3],
    ["decorated.ts", true],
    ["element.tsx", "from tsx"],
    ["names-js.ts", 3],
  ])("%s", async (name, value) => {
    const [report] = await loadInThread(fixture(name));
    expect(report).toMatchObject({ value });
  });

  it("erasable TypeScript as Node itself loads it", async () => {
    const [report] = await loadInThread(fixture("erasable.ts"));
    expect(report!.names).toEqual(["double"]);
  });

  it("several that need tsx, one after the other, in one thread", async () => {
    const names = ["decorated.ts", "uses-enum.ts", "element.tsx", "enum.ts", "erasable.ts"];
    const reports = await loadInThread(...names.map(fixture));
    expect(reports.map((report) => report.value)).toEqual([true, 3, "from tsx", 2, undefined]);
  });

  it("an error that the module throws arrives as itself, and the module ran once", async () => {
    const [report] = await loadInThread(fixture("throws.ts"));
    expect(report).toMatchObject({ name: "SyntaxError", message: "thrown while loading", throwsCount: 1 });
  });

  it.each([
    ["a.mjs", "a.mjs", { "a.mjs": "\n\nexport const value = ;" }],
    ["a.cjs", "a.cjs", { "a.cjs": "\n\nexports.value = ;" }],
    ["a.ts", "a.ts", { "a.ts": "\n\nexport const value: number = ;" }],
    [
      "a.mjs that imports b.mjs",
      "b.mjs",
      { "a.mjs": `import "./b.mjs";`, "b.mjs": "\n\nexport const value = ;" },
    ],
    ["a.mjs that imports b.cjs", "b.cjs", { "a.mjs": `import "./b.cjs";`, "b.cjs": "\n\nexports.value = ;" }],
  ])("a syntax error in %s arrives as itself, with file and line", async (_title, culprit, files) => {
    const written = writtenFiles(files);
    const url = pathToFileURL(join(written, Object.keys(files)[0]!)).href;
    const reports = await loadInThread(url, url);
    for (const report of reports) {
      expect(report.name).toBe("SyntaxError");
      expect(report.message).toMatch(/^[^()]+ \([^()]+:3\)$/);
      expect(report.message).toContain(`${join(written, culprit)}:3`);
    }
  });

  describe("that is not where its URL says", () => {
    it.each([
      ["a.ts", "a.js"],
      ["a.ts", "a.mjs"],
      ["a.ts", "a.cjs"],
      ["a.mts", "a.mjs"],
      ["a.mts", "a.js"],
      ["a.cts", "a.cjs"],
      ["a.cts", "a.js"],
      ["a.tsx", "a.js"],
      ["a.jsx", "a.js"],
      ["a.js", "a.ts"],
      ["a.mjs", "a.mts"],
    ])("%s: %s beside it is taken", async (asked, there) => {
      const text = there.endsWith(".cjs") ? "exports.value = 1;" : "export const value = 1;";
      const written = writtenFiles({ [there]: text, "package.json": `{ "type": "module" }` });
      const [report] = await loadInThread(`${pathToFileURL(join(written, asked)).href}?v=1`);
      expect(report).toMatchObject({ value: 1 });
    });

    it.each([
      ["a.ts", "no a.js or a.mjs or a.cjs beside it"],
      ["a.mjs", "no a.mts beside it"],
      ["a", "a.worker.js"],
    ])("%s: the error names what was looked for and what is there", async (asked, detail) => {
      const written = writtenFiles({ "a.worker.js": "" });
      const [report] = await loadInThread(pathToFileURL(join(written, asked)).href);
      expect(report).toMatchObject({ name: "JobModuleError", code: "ERR_SKEIN_JOB_MODULE" });
      expect(report!.message).toContain(join(written, asked));
      expect(report!.message).toContain("a.worker.js");
      expect(report!.message).toContain(detail);
    });

    it("nor is its folder", async () => {
      const [report] = await loadInThread(fixture("nowhere/a.mjs"));
      expect(report).toMatchObject({ code: "ERR_SKEIN_JOB_MODULE" });
      expect(report!.message).toContain("Its folder does not exist");
    });

    it("a module that it imports is another matter", async () => {
      const written = writtenFiles({ "a.mjs": `import "./b.mjs";`, "b.js": "" });
      const [report] = await loadInThread(pathToFileURL(join(written, "a.mjs")).href);
      expect(report).toMatchObject({ code: "ERR_MODULE_NOT_FOUND" });
    });
  });

  it.each(["http://localhost/a.mjs", "data:text/javascript,export default 1", "node:fs", "./a.mjs"])(
    "%s is not loaded",
    async (url) => {
      await expect(loadJobModule(url)).rejects.toMatchObject({
        name: "TypeError",
        code: "ERR_SKEIN_INVALID_ARG_TYPE",
      });
    },
  );

  describe("in a project without tsx", () => {
    it.each(["enum.ts", "element.tsx", "decorated.ts"])("%s is refused with what to do", async (name) => {
      const [report] = await loadInThread(pathToFileURL(join(folder, name)).href);
      expect(report).toMatchObject({ name: "JobModuleError", code: "ERR_SKEIN_JOB_MODULE" });
      expect(report!.message).toMatch(/Install tsx .*, or use erasable TypeScript only/);
    });
  });
});

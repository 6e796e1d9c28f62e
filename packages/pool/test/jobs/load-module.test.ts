// oxlint-disable typescript/no-unsafe-type-assertion -- values of every kind, also wrong ones, are what is tested
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { loadJobModule } from "../../src/jobs/load-module.ts";

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

  it("a syntax error in JavaScript arrives as itself", async () => {
    const file = join(folder, "not-javascript.mjs");
    await writeFile(file, "export const value = ;");
    const [report] = await loadInThread(pathToFileURL(file).href);
    expect(report).toMatchObject({ name: "SyntaxError" });
  });

  it("a module that does not exist", async () => {
    const [report] = await loadInThread(fixture("nowhere.mjs"));
    expect(report).toMatchObject({ code: "ERR_MODULE_NOT_FOUND" });
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

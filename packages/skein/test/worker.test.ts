import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { Cluster } from "@skein/cluster";
import { runNode } from "../../../test/support/child.ts";
import { startRedis } from "../../../test/support/redis-server.ts";
import type * as Geo from "./fixtures/geo.jobs.ts";
import type * as Hold from "./fixtures/hold.jobs.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { command, fixtures, skein } from "./skein.ts";

const redis = await startRedis();
afterAll(() => redis?.[Symbol.asyncDispose]());

describe("skein worker", () => {
  test.skipIf(redis === null)("runs jobs of a cluster, and ends by SIGTERM", async () => {
    const worker = spawn(process.execPath, [command, "worker", "*.jobs.ts", "--threads", "1"], {
      cwd: fixtures,
      env: { ...process.env, SKEIN_CLUSTER_URL: redis!.url },
    });
    const ended = once(worker, "exit");
    let said = "";
    worker.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    await using cluster = new Cluster({ connection: redis!.url });
    const geo = cluster.module<typeof Geo>(new URL("fixtures/geo.jobs.ts", import.meta.url));
    expect(await geo.add(1, 2)).toBe(3);
    worker.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(said).toBe("skein: serves *.jobs.ts\nskein: stops when its jobs have ended\n");
  });

  test.skipIf(redis === null)("a second signal ends it at once, whichever it is", async () => {
    const worker = spawn(process.execPath, [command, "worker", "hold.jobs.ts", "--threads", "1"], {
      cwd: fixtures,
      env: { ...process.env, SKEIN_CLUSTER_URL: redis!.url },
    });
    const ended = once(worker, "exit");
    let said = "";
    worker.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const cluster = new Cluster({ connection: redis!.url });
    const jobs = cluster.module<typeof Hold>(new URL("fixtures/hold.jobs.ts", import.meta.url));
    const began = Promise.withResolvers<void>();
    const lost = cluster.run(jobs.hold, [], { retries: 0, onProgress: () => began.resolve() });
    lost.then(null, () => {});
    await began.promise;
    worker.kill("SIGTERM");
    await eventually("it has heard", () => said.includes("stops when"));
    worker.kill("SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
    // No worker is left that would find the job lost.
    await cluster.close({ drain: false, timeoutMs: 1 });
  });

  test("names a package that @skein/cluster lacks, and not that one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skein-worker-"));
    try {
      const cluster = join(folder, "node_modules/@skein/cluster/index.mjs");
      await mkdir(dirname(cluster), { recursive: true });
      await writeFile(cluster, 'import "gone";');
      const hook = join(folder, "hook.mjs");
      await writeFile(
        hook,
        `import { registerHooks } from "node:module";
        const url = ${JSON.stringify(pathToFileURL(cluster).href)};
        registerHooks({
          resolve: (name, context, next) => name === "@skein/cluster" ? { url, shortCircuit: true } : next(name, context),
        });`,
      );
      const args = ["--import", pathToFileURL(hook).href, command, "worker", "geo.jobs.ts"];
      const { code, stderr } = await runNode({ args, cwd: fixtures });
      expect(code).toBe(1);
      expect(stderr).toContain("Cannot find package 'gone'");
      expect(stderr).not.toContain("npm install");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each([
    [["worker"], /^skein: name the job modules, as in .*\n$/],
    [["worker", "no/*.jobs.ts"], /^skein: there is no file no\/\*\.jobs\.ts; give .*\n$/],
    [["worker", "geo.jobs.ts", "--url", "http://a.example"], /^skein: .*`connection`.*redis.*\n$/],
  ])("skein %j is wrong usage, told in one sentence", async (args, message) => {
    const { code, stderr } = await skein(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

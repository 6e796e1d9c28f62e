/** The same jobs on two worker processes, one of which is killed. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Cluster } from "@skein/cluster";
import type { Scene } from "../scene.ts";
import type * as Jobs from "./worker-killed.jobs.ts";

const JOBS = 64;
const KILLED_AFTER = 24;
const COLORS = ["green", "cyan", "yellow"] as const;

const program = fileURLToPath(
  new URL(`./worker-killed.worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url),
);

export const workerKilled: Scene = {
  title: "The same job on a cluster, a worker process is killed",
  about: `${JOBS} jobs wait in a database that starts by itself, two processes take them (one colour each). One is killed; what it had runs again.`,
  code: [import.meta.url, new URL("worker-killed.worker.ts", import.meta.url).href],
  async run(stage) {
    const folder = mkdtempSync(join(tmpdir(), "tour-cluster-"));
    const connection = process.env["SKEIN_CLUSTER_URL"] ?? pathToFileURL(folder).href;
    const name = `tour-${process.pid}`;
    const settings = JSON.stringify({ connection, name, lockMs: stage.fast ? 500 : 1500 });
    const workers = [start(settings), start(settings)];
    const cells = Array.from({ length: JOBS }, () => "·");
    const settled = cells.map(() => 0);
    const pids: number[] = [];
    try {
      await using cluster = new Cluster({ connection, name });
      await Promise.all(workers.map((worker) => once(worker, "message")));
      // tour: begin
      const jobs = cluster.module<typeof Jobs>(new URL("./worker-killed.jobs.ts", import.meta.url));
      const run = (n: number) => cluster.run(jobs.square, [n], { retries: 50 });
      // tour: end
      let isKilled = false;
      const results = await Promise.all(
        cells.map(async (_, index) => {
          const { square, pid } = await run(index);
          settled[index]!++;
          if (!pids.includes(pid)) pids.push(pid);
          cells[index] = stage.style(COLORS[pids.indexOf(pid) % COLORS.length]!, "█");
          stage.draw([cells.join("")]);
          if (!isKilled && settled.filter((times) => times > 0).length >= KILLED_AFTER) {
            isKilled = true;
            workers[0]!.kill("SIGKILL");
          }
          return square;
        }),
      );
      stage.check(
        `all ${JOBS} results are right`,
        results.every((result, index) => result === index * index),
      );
      stage.check(
        "every job settled exactly once",
        settled.every((times) => times === 1),
      );
      stage.check("a worker was killed on the way", workers[0]!.killed);
    } finally {
      await Promise.all(workers.map(end));
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function start(settings: string): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, program, settings], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exit = once(worker, "exit");
  worker.kill("SIGTERM");
  await exit;
}

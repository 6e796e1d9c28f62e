/** Worker processes of a cluster as an engine. With cluster-worker.ts the only file that knows it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Cluster } from "@skein/cluster";
import type { WorkerSettings } from "./cluster-worker.ts";
import { marksFor } from "./duplicates.ts";
import type { Engine } from "./engine.ts";
import type * as FileJobs from "./file.jobs.ts";
import { markRepeats } from "./repeats.jobs.ts";
import { pushRowsFromMain } from "./worker-rows.ts";

/** Enough for two workers never to run dry, little enough for a cancelled scan to end at once. */
const JOBS_AHEAD = 256;
const CLOSE_TIMEOUT_MS = 2000;
/** A report has the fingerprints of all functions of its file. */
export const MAX_PAYLOAD_BYTES: number = 2 ** 25;

const program = fileURLToPath(
  new URL(`./cluster-worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url),
);

/** Jobs wait in the server of SKEIN_CLUSTER_URL, or in an embedded database that goes with the engine. @param threads Of all workers. */
export async function openClusterEngine(workers: number, threads: number): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), "census-cluster-"));
  const connection = process.env["SKEIN_CLUSTER_URL"] ?? pathToFileURL(folder).href;
  const name = `census-${process.pid}`;
  const cluster = new Cluster({ connection, name, maxPayloadBytes: MAX_PAYLOAD_BYTES });
  const files = cluster.module<typeof FileJobs>(new URL("./file.jobs.ts", import.meta.url), { retries: 10 });
  const settings = { connection, name, threads: Math.max(1, Math.floor(threads / workers)) };
  const processes = Array.from({ length: workers }, () => start(settings));
  await Promise.all(processes.map((child) => once(child, "message")));
  return {
    lookAhead: JOBS_AHEAD,
    async analyse(path, options, signal, policy) {
      const { rows, lethal, ...rest } = options;
      if (lethal !== undefined && Atomics.exchange(lethal, 0, 1) === 0) processes.pop()!.kill("SIGKILL");
      const report = await cluster.run(files.analyseFile, [path, rest], { signal, continuations: policy });
      // To a thread of this process, whose memory the workers do not share.
      await pushRowsFromMain(path, report, rows);
      return report;
    },
    async findRepeats(words) {
      const marks = marksFor(words);
      markRepeats(words, marks);
      return { marks, stolen: 0 };
    },
    async close() {
      await cluster.close({ drain: false, timeoutMs: CLOSE_TIMEOUT_MS });
      await Promise.all(processes.map(end));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function start(settings: WorkerSettings): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, program, JSON.stringify(settings)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}

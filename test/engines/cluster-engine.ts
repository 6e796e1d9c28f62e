/** The cluster among the engines of the suite: its worker is a process of its own. */
import { Cluster } from "@skein/cluster";
import { everyCapability } from "@skein/pool/engine";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { eventually } from "../support/eventually.ts";
import { WorkerProcess } from "../support/worker-process.ts";
import type { EngineUnderTest } from "./engines.ts";

export function clusterOn(connection: string): EngineUnderTest {
  let count = 0;
  return {
    name: "Cluster",
    capabilities: {
      ...everyCapability,
      sharedMemory: false,
      inlineFunctions: false,
      terminate: false,
      exclusive: false,
      transfer: false,
      placement: false,
      broadcast: false,
      streams: false,
      streamArguments: false,
      timeline: false,
    },
    start() {
      const name = `engines-${++count}`;
      const modules = Object.fromEntries(
        ["engines", "missing"].map((file) => [file, new URL(`./${file}.jobs.ts`, import.meta.url).href]),
      );
      const worker = new WorkerProcess({ connection, name, modules });
      const engine = new Cluster({ connection, name });
      return {
        engine,
        async end() {
          await engine.close();
          await worker[Symbol.asyncDispose]();
        },
        async withdrawn() {
          const store = new Redis(connection, { maxRetriesPerRequest: null });
          const queue = new Queue(`skein.${name}.engines`, { connection: store });
          await eventually("no job waits", async () => {
            return (await queue.getJobCountByTypes("waiting", "prioritized")) === 0;
          });
          await queue.close();
          store.disconnect();
        },
      };
    },
  };
}

/** Closes a cluster while a job is on its way to a store that never answers. */
import { Cluster } from "@skein/cluster";

const cluster = new Cluster({
  connection: process.argv[2],
  connectTimeoutMs: 2 ** 31 - 1,
  onError: () => {},
});
const task = cluster.module(new URL("none.jobs.mjs", import.meta.url)).run(1);
task.then(undefined, () => {});
await new Promise((resolve) => setTimeout(resolve, 100));
await cluster.close({ drain: false, timeoutMs: 1 });
console.log("over");

/** Serves jobs of a store that never answers. */
import { serveJobs } from "@skein/cluster";

const modules = { none: new URL("none.jobs.mjs", import.meta.url) };
try {
  await serveJobs({ modules, connection: process.argv[2], connectTimeoutMs: 100, onError: () => {} });
} catch {
  console.log("over");
}

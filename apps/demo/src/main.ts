#!/usr/bin/env node
/** The command `census`. Imports nothing by itself: on a Node.js that is too old the program would not even parse. */
import type { runCensus } from "./run-census.ts";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
// What ends without having come to its end has failed.
process.exitCode = 1;
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `census: needs Node.js 22.18 or later, this is ${process.versions.node}. From the root of the repository "npx --yes pnpm@10 demo" runs it on one that fits.\n`,
  );
} else {
  void import("./run-census.ts").then(async (program: { runCensus: typeof runCensus }) => {
    process.exitCode = await program.runCensus(process.argv.slice(2));
  });
}

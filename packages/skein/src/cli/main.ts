#!/usr/bin/env node
/** The command `skein`. Imports nothing by itself: on a Node.js that is too old the rest would not even parse. */
import type { runProgram } from "./program.ts";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
// The command has failed unless it comes to its end.
process.exitCode = 1;
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `skein: needs Node.js 22.18 or later, and this is ${process.versions.node}. Install a newer one.\n`,
  );
  process.exitCode = 2;
} else {
  void import("./program.ts").then(async (program: { runProgram: typeof runProgram }) => {
    process.exitCode = await program.runProgram(process.argv.slice(2));
  });
}

/** Versions of Node.js, and other runtimes. */
import { program } from "../program.ts";
import { programStep, type SetUp } from "../set-up.ts";

function node(version: string): SetUp {
  return {
    name: `Node.js ${version}`,
    tools: { node: version },
    files: program(".ts"),
    steps: [programStep("node src/main.ts")],
  };
}

export const runtimes: readonly SetUp[] = [
  ...["22.18.0", "24.21.0", "26.10.0"].map(node),
  {
    name: "node --permission",
    tools: { node: "24.21.0" },
    files: program(".ts"),
    steps: [programStep("node --permission --allow-worker --allow-fs-read=* src/main.ts")],
  },
  {
    name: "Bun",
    tools: { bun: "1.4.5" },
    files: program(".ts"),
    steps: [programStep("bun src/main.ts")],
  },
  {
    name: "Deno",
    tools: { deno: "2.9.6" },
    files: program(".ts"),
    steps: [programStep("deno run --allow-all src/main.ts")],
  },
];

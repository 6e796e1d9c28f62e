/** Package managers: how they lay packages out, and what they put in the way. */
import { program } from "../program.ts";
import { programStep, type SetUp } from "../set-up.ts";

export const managers: readonly SetUp[] = [
  {
    name: "pnpm, strict",
    files: program(".ts"),
    install: [
      "npx",
      "--yes",
      "pnpm@10.34.9",
      "install",
      "--config.node-linker=isolated",
      "--config.hoist=false",
    ],
    steps: [programStep("node src/main.ts")],
  },
  {
    name: "yarn, Plug'n'Play",
    manifest: { packageManager: "yarn@4.18.1" },
    files: {
      ...program(".ts"),
      ".yarnrc.yml": "nodeLinker: pnp\nenableImmutableInstalls: false\nenableTelemetry: false\n",
      "yarn.lock": "",
    },
    install: ["npx", "--yes", "@yarnpkg/cli-dist@4.18.1", "install"],
    steps: [programStep("npx --yes @yarnpkg/cli-dist@4.18.1 node src/main.ts")],
  },
  {
    name: "npm workspaces",
    manifest: { workspaces: ["app"] },
    files: {
      "app/package.json": JSON.stringify({ name: "app", version: "1.0.0", type: "module" }),
      ...Object.fromEntries(Object.entries(program(".ts")).map(([path, text]) => [`app/${path}`, text])),
    },
    steps: [programStep("node src/main.ts", { cwd: "app" })],
  },
];

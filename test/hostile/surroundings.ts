/** The rows of the matrix: each is one process. */
import { fileURLToPath } from "node:url";
import type { ChildOptions } from "../support/child.ts";
import { setups } from "./setups.ts";

export interface Surrounding {
  readonly name: string;
  readonly start: ChildOptions;
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const program = file("./program.ts");
/** Packages and relative imports are found from here by a program that is no file. */
const folder = file("..");

type Moment = "before" | "after" | "thread";
/** What is there before Skein loads: only where it makes a difference. */
const alsoBefore =
  /fake timers: all|timers are numbers|call sites|throws|read-only|frozen|options of|toJSON|another class|wrapped|gone|generator/;

/** Where a pool of processes is tried too, which takes longer. */
const withProcesses =
  /^(?:Object.prototype has options of Worker, (?:later|on the threads)|fake timers: node:timers too, later)$/;

const momentText: Record<Moment, string> = {
  before: "before Skein is loaded",
  after: "later",
  thread: "on the threads",
};

function withSetup(): Surrounding[] {
  return Object.keys(setups).flatMap((setup) => {
    const moments: Moment[] = alsoBefore.test(setup) ? ["before", "after", "thread"] : ["after", "thread"];
    return moments.map((moment) => {
      const name = `${setup}, ${momentText[moment]}`;
      const env = withProcesses.test(name) ? { SKEIN_WITH_PROCESSES: "1" } : {};
      return { name, start: { args: [program, setup, moment], env } };
    });
  });
}

function withFlags(...args: readonly string[]): Surrounding {
  return { name: `node ${args.join(" ")}`, start: { args: [...args, program, "-", "none"] } };
}

const inline = `import { main } from "./hostile/program.ts"; await main(null, "none");`;
const required = `import("./hostile/program.ts").then(({ main }) => main(null, "none"));`;

const started: Surrounding[] = [
  {
    name: "node --input-type=module -e",
    start: { args: ["--input-type=module", "-e", inline], cwd: folder },
  },
  {
    name: "node --input-type=module, from stdin",
    start: { args: ["--input-type=module", "-"], input: inline, cwd: folder },
  },
  {
    name: "node --input-type=commonjs -e",
    start: { args: ["--input-type=commonjs", "-e", required], cwd: folder },
  },
  { name: "node -e", start: { args: ["-e", required], cwd: folder } },
  { name: "node, from stdin", start: { args: [], input: required, cwd: folder } },
  { name: "node -p", start: { args: ["-p", required], cwd: folder } },
  { name: "from the folder /", start: { args: [program, "-", "none"], cwd: "/" } },
  {
    name: "NODE_OPTIONS with flags",
    start: {
      args: [program, "-", "none"],
      env: { NODE_OPTIONS: "--enable-source-maps --no-deprecation --stack-trace-limit=3" },
    },
  },
  {
    name: "NODE_OPTIONS with a preload that makes a pool",
    start: { args: [program, "-", "none"], env: { NODE_OPTIONS: `--import=${file("./preload-pool.ts")}` } },
  },
  {
    name: "a preload that makes a pool",
    start: { args: [`--import=${file("./preload-pool.ts")}`, program, "-", "none"] },
  },
  {
    name: "a preload in CommonJS",
    start: { args: ["--require", file("./preload.cjs"), program, "-", "none"] },
  },
  {
    name: "NODE_ENV and an empty environment",
    start: { args: [program, "-", "none"], env: { HOME: "", PATH: "", TMPDIR: "" } },
  },
];

const flags: Surrounding[] = [
  ["--frozen-intrinsics"],
  ["--disable-proto=throw"],
  ["--disable-proto=delete"],
  ["--no-deprecation"],
  ["--throw-deprecation"],
  ["--trace-warnings", "--trace-uncaught"],
  ["--enable-source-maps"],
  ["--stack-trace-limit=0"],
  ["--unhandled-rejections=warn"],
  ["--unhandled-rejections=none"],
  ["--expose-gc", "--max-old-space-size=64"],
  ["--no-async-context-frame"],
  ["--conditions=browser"],
  ["--preserve-symlinks"],
  ["--no-addons", "--no-network-family-autoselection"],
  ["--title=renamed", "--no-warnings"],
  ["--test-only"],
  ["--permission", "--allow-worker", "--allow-fs-read=*"],
  ["--icu-data-dir=/nowhere", "--preserve-symlinks-main"],
].map((args) => withFlags(...args));

export const surroundings: readonly Surrounding[] = [
  { name: "none", start: { args: [program, "-", "none"] } },
  ...started,
  ...flags,
  ...withSetup(),
];

/**
 * The rows of the matrix: each is one process. In `pnpm test` a process has as much at once as can be: a setup on the main thread and on
 * the threads, flags that do not touch each other. `pnpm test:whole` tries each by itself, and so says which of them it is.
 */
import { fileURLToPath } from "node:url";
import type { ChildOptions } from "../support/child.ts";
import { whole } from "../support/whole.ts";
import { AND, setups } from "./setups.ts";

export interface Surrounding {
  readonly name: string;
  readonly start: ChildOptions;
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const program = file("./program.ts");
/** Packages and relative imports are found from here by a program that is no file. */
const folder = file("..");

type Moment = "before" | "after" | "thread" | "both";
/** What is there before Skein loads: only where it makes a difference. */
const alsoBefore =
  /fake timers: all|timers are numbers|call sites|throws|read-only|frozen|options of|toJSON|another class|wrapped|gone|through JSON|generator/;

/** Where a pool of processes is tried too, which takes longer. */
const withProcesses =
  /^(?:Object.prototype has options of Worker, (?:later|on the threads)|fake timers: node:timers too, later)/;

const momentText: Record<Moment, string> = {
  before: "before Skein is loaded",
  after: "later",
  thread: "on the threads",
  both: "later and on the threads",
};

/** Those that do not touch each other are put up together. */
const together: readonly RegExp[] = [
  /^(?:Error|Object.prototype|Array.prototype|Function.prototype|globalThis|Promise and Map) (?:is|are) frozen$/,
  /^(?:Object|Array).prototype has (?!options of Worker)/,
  /emitWarning|console|AbortController|URL|Math.random|are gone$/,
];

function rows(names: readonly string[], moment: Moment): Surrounding[] {
  const groups = Map.groupBy(names, (name) =>
    whole ? name : (together.find((is) => is.test(name)) ?? name),
  );
  return Array.from(groups.values(), (group) => {
    const setup = group.join(AND);
    const name = `${setup}, ${momentText[moment]}`;
    const env = withProcesses.test(name) ? { SKEIN_WITH_PROCESSES: "1" } : {};
    return { name, start: { args: [program, setup, moment], env } };
  });
}

function withSetup(): Surrounding[] {
  const names = Object.keys(setups);
  const moments: Moment[] = whole ? ["after", "thread"] : ["both"];
  return [
    ...rows(
      names.filter((name) => alsoBefore.test(name)),
      "before",
    ),
    ...moments.flatMap((moment) => rows(names, moment)),
  ];
}

function withFlags(...args: readonly string[]): Surrounding {
  return { name: `node ${args.join(" ")}`, start: { args: [...args, program, "-", "none"] } };
}

const inline = `import { main } from "./hostile/program.ts"; await main(null, "none");`;
const required = `import("./hostile/program.ts").then(({ main }) => main(null, "none"));`;

const modulesFromText: Surrounding = {
  name: "node --input-type=module -e",
  start: { args: ["--input-type=module", "-e", inline], cwd: folder },
};
const fromStdin: Surrounding = {
  name: "node, from stdin",
  start: { args: [], input: required, cwd: folder },
};
const printed: Surrounding = { name: "node -p", start: { args: ["-p", required], cwd: folder } };
const flagOptions = "--enable-source-maps --no-deprecation --stack-trace-limit=3";
const emptyEnvironment = { HOME: "", PATH: "", TMPDIR: "" };
const preload = `--import=${file("./preload-pool.ts")}`;

const started: Surrounding[] = [
  modulesFromText,
  fromStdin,
  printed,
  {
    name: "NODE_OPTIONS with flags and a preload that makes a pool",
    start: { args: [program, "-", "none"], env: { NODE_OPTIONS: `${flagOptions} ${preload}` } },
  },
  {
    name: "from the folder /, an empty environment, and a preload in CommonJS",
    start: {
      args: ["--require", file("./preload.cjs"), program, "-", "none"],
      cwd: "/",
      env: emptyEnvironment,
    },
  },
];

const startedOneByOne: Surrounding[] = [
  modulesFromText,
  {
    name: "node --input-type=module, from stdin",
    start: { args: ["--input-type=module", "-"], input: inline, cwd: folder },
  },
  {
    name: "node --input-type=commonjs -e",
    start: { args: ["--input-type=commonjs", "-e", required], cwd: folder },
  },
  { name: "node -e", start: { args: ["-e", required], cwd: folder } },
  fromStdin,
  printed,
  { name: "from the folder /", start: { args: [program, "-", "none"], cwd: "/" } },
  {
    name: "NODE_OPTIONS with flags",
    start: { args: [program, "-", "none"], env: { NODE_OPTIONS: flagOptions } },
  },
  {
    name: "NODE_OPTIONS with a preload that makes a pool",
    start: { args: [program, "-", "none"], env: { NODE_OPTIONS: preload } },
  },
  { name: "a preload that makes a pool", start: { args: [preload, program, "-", "none"] } },
  {
    name: "a preload in CommonJS",
    start: { args: ["--require", file("./preload.cjs"), program, "-", "none"] },
  },
  {
    name: "NODE_ENV and an empty environment",
    start: { args: [program, "-", "none"], env: emptyEnvironment },
  },
];

const changesTheLanguage = ["--frozen-intrinsics", "--disable-proto=throw", "--disable-proto=delete"];
/** The other way of carrying context. Node 22 has that alone, and no flag. */
const changesContext = process.allowedNodeEnvironmentFlags.has("--async-context-frame")
  ? ["--no-async-context-frame"]
  : [];
const permission = ["--permission", "--allow-worker", "--allow-fs-read=*"];
const strict = [
  ["--throw-deprecation"],
  ["--trace-warnings", "--trace-uncaught"],
  ["--enable-source-maps"],
  ["--unhandled-rejections=warn"],
  ["--expose-gc", "--max-old-space-size=64"],
  ["--icu-data-dir=/nowhere", "--preserve-symlinks-main"],
];
const lax = [
  ["--no-deprecation"],
  ["--stack-trace-limit=0"],
  ["--unhandled-rejections=none"],
  ["--conditions=browser"],
  ["--preserve-symlinks"],
  ["--no-addons", "--no-network-family-autoselection"],
  ["--title=renamed", "--no-warnings"],
  ["--test-only"],
];

const flags: Surrounding[] = [
  ...changesTheLanguage.map((flag) => [flag]),
  ...changesContext.map((flag) => [flag]),
  permission,
  ...(whole ? [...strict, ...lax] : [strict.flat(), lax.flat()]),
].map((args) => withFlags(...args));

export const surroundings: readonly Surrounding[] = [
  { name: "none", start: { args: [program, "-", "none"] } },
  ...(whole ? startedOneByOne : started),
  ...flags,
  ...withSetup(),
];

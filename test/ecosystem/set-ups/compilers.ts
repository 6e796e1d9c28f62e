/** Compilers and loaders: the documented URL survives them. */
import { commonjsProgram, javascriptProgram, program } from "../program.ts";
import { programStep, type SetUp, step } from "../set-up.ts";

const tsc = { typescript: "7.0.2", "@types/node": "24.19.2" };

const tsNode = { "ts-node": "10.9.2", typescript: "5.9.3", "@types/node": "24.19.2" };

function tsconfig(options: object): Readonly<Record<string, string>> {
  const compilerOptions = {
    target: "es2023",
    rootDir: "src",
    outDir: "dist",
    strict: true,
    types: ["node"],
    ...options,
  };
  return { "tsconfig.json": JSON.stringify({ compilerOptions, include: ["src"] }) };
}

const bothEntries = "src/main.ts src/geo.jobs.ts";

export const compilers: readonly SetUp[] = [
  {
    name: "tsc, nodenext",
    tools: tsc,
    files: { ...program(".js"), ...tsconfig({ module: "nodenext" }) },
    steps: [step("tsc"), programStep("node dist/main.js")],
  },
  {
    name: "tsc, nodenext, imports with .ts",
    tools: tsc,
    files: {
      ...program(".ts"),
      ...tsconfig({ module: "nodenext", rewriteRelativeImportExtensions: true }),
    },
    steps: [step("tsc"), programStep("node dist/main.js")],
  },
  {
    name: "tsc, resolution of bundlers",
    tools: tsc,
    files: { ...program(".js"), ...tsconfig({ module: "esnext", moduleResolution: "bundler" }) },
    steps: [step("tsc"), programStep("node dist/main.js")],
  },
  {
    name: "tsc, CommonJS",
    tools: tsc,
    manifest: { type: "commonjs" },
    files: { ...commonjsProgram(), ...tsconfig({ module: "nodenext" }) },
    steps: [step("tsc"), programStep("node dist/main.js")],
  },
  {
    name: "swc, then node",
    tools: { "@swc/core": "1.16.22", "@swc/cli": "0.8.1" },
    files: {
      ...program(".js"),
      ".swcrc": JSON.stringify({
        jsc: { parser: { syntax: "typescript" }, target: "es2022" },
        module: { type: "es6" },
      }),
    },
    steps: [step("swc src -d dist --strip-leading-paths"), programStep("node dist/main.js")],
  },
  {
    name: "swc-node",
    tools: { "@swc-node/register": "1.12.1", "@swc/core": "1.16.22", typescript: "5.9.3" },
    files: {
      ...program(".ts"),
      ...tsconfig({ module: "nodenext", allowImportingTsExtensions: true, noEmit: true }),
    },
    steps: [programStep("node --import @swc-node/register/esm-register src/main.ts")],
  },
  // Threads do not have the hooks of the command `ts-node`: without tsx the error says to install it.
  {
    name: "ts-node, job modules by tsx",
    tools: { ...tsNode, tsx: "4.23.15" },
    manifest: { type: "commonjs" },
    files: { ...commonjsProgram(), ...tsconfig({ module: "nodenext" }) },
    steps: [programStep("ts-node src/main.ts")],
  },
  {
    name: "ts-node, without tsx",
    tools: tsNode,
    manifest: { type: "commonjs" },
    files: { ...commonjsProgram(), ...tsconfig({ module: "nodenext" }) },
    steps: [
      step("ts-node src/main.ts", { failsWith: "Install tsx" }),
      programStep("node -r ts-node/register/transpile-only src/main.ts"),
    ],
  },
  {
    name: "tsx",
    tools: { tsx: "4.23.15" },
    files: program(".ts"),
    steps: [programStep("tsx src/main.ts")],
  },
  {
    name: "tsx, CommonJS",
    tools: { tsx: "4.23.15" },
    manifest: { type: "commonjs" },
    files: commonjsProgram(),
    steps: [programStep("tsx src/main.ts")],
  },
  {
    name: "tsup",
    tools: { tsup: "9.0.0", typescript: "5.9.3" },
    files: program(".ts"),
    steps: [step(`tsup ${bothEntries} --format esm`), programStep("node dist/main.js")],
  },
  {
    name: "tsup, CommonJS",
    tools: { tsup: "9.0.0", typescript: "5.9.3" },
    manifest: { type: "commonjs" },
    files: commonjsProgram(),
    steps: [step(`tsup ${bothEntries} --format cjs`), programStep("node dist/main.js")],
  },
  {
    name: "tsdown",
    tools: { tsdown: "0.23.7", typescript: "5.9.3" },
    files: program(".ts"),
    steps: [step(`tsdown ${bothEntries} --format esm --no-dts`), programStep("node dist/main.mjs")],
  },
  {
    name: "plain JavaScript",
    files: javascriptProgram(),
    steps: [programStep("node src/main.js")],
  },
];

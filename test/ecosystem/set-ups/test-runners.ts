/** Test runners: jobs run in the tests of people's own. */
import { program } from "../program.ts";
import { type SetUp, step } from "../set-up.ts";
import { PROGRAM_PRINTS } from "../set-up.ts";

/** A test in the words that node:test, vitest and jest share. */
function testOf(imports: string, extension: ".ts" | ".js"): string {
  return `${imports}
import { printed } from "../src/main${extension}";

test("the program", async () => {
  const line = await printed;
  if (line !== ${JSON.stringify(PROGRAM_PRINTS)}) throw new Error(line);
});
`;
}

function vitest(pool: string): SetUp {
  return {
    name: `vitest, ${pool}`,
    tools: { vitest: "5.1.0" },
    files: { ...program(".ts"), "test/program.test.ts": testOf(`import { test } from "vitest";`, ".ts") },
    steps: [step(`vitest run --pool=${pool}`, { prints: "1 passed" })],
  };
}

export const testRunners: readonly SetUp[] = [
  {
    name: "node --test",
    files: { ...program(".ts"), "test/program.test.ts": testOf(`import { test } from "node:test";`, ".ts") },
    steps: [step("node --test", { prints: "pass 1" })],
  },
  ...["forks", "threads", "vmForks", "vmThreads"].map(vitest),
  {
    name: "jest 30, ES modules",
    tools: { jest: "30.5.2", "@swc/core": "1.16.22", "@swc/jest": "0.2.39" },
    files: {
      ...program(".ts"),
      "test/program.test.ts": testOf("", ".ts"),
      "jest.config.json": JSON.stringify({
        transform: { "\\\\.ts$": "@swc/jest" },
        extensionsToTreatAsEsm: [".ts"],
      }),
    },
    steps: [step("jest", { env: { NODE_OPTIONS: "--experimental-vm-modules" }, prints: "1 passed" })],
  },
  {
    name: "jest 30, CommonJS",
    tools: { jest: "30.5.2" },
    manifest: { type: "commonjs" },
    files: {
      "geo.jobs.cjs": `exports.twice = (n) => n * 2;\n`,
      "program.test.js": `const { pathToFileURL } = require("node:url");

test("a job", async () => {
  const { ThreadPool } = await import("@skein/pool");
  const pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module(pathToFileURL(require.resolve("./geo.jobs.cjs")));
  expect(await jobs.twice(21)).toBe(42);
  await pool.close();
});
`,
    },
    steps: [step("jest", { env: { NODE_OPTIONS: "--experimental-vm-modules" }, prints: "1 passed" })],
  },
];

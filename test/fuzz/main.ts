/** `pnpm fuzz [--cases 1e5] [--seed 1] [--path 3:0:1] [--engine InlineEngine]`: says how it goes, prints the smallest failing case, exits with 1 then. */
import { parseArgs } from "node:util";
import { engineNames, fuzz } from "./fuzz-run.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
    engine: { type: "string" },
  },
});
const cases = Number(values.cases ?? 1e5);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const isEngine = values.engine === undefined || engineNames.includes(values.engine);
if (!(cases > 0) || !Number.isInteger(seed) || !isEngine) {
  console.error(
    `usage: pnpm fuzz [--cases 1e5] [--seed 1] [--path 3:0:1] [--engine ${engineNames.join(" | ")}]`,
  );
  process.exit(2);
}

const startedAt = performance.now();
const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`.padStart(7);
console.log(`fuzz: ${cases} cases, seed ${seed}`);
const report = await fuzz({
  cases,
  seed,
  path: values.path,
  engine: values.engine,
  log: (line) => console.log(`${elapsed()}  ${line}`),
});
if (report.failure !== null) console.log(`FAULT ${report.failure}`);
console.log(
  `seed ${seed}: ${report.cases} cases, ${report.crashed} ended with their thread, ${report.known} met a known fault, ${report.failure === null ? "no" : "a"} fault`,
);
process.exit(report.failure === null ? 0 : 1);

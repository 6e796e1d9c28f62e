/** `pnpm soak [--jobs 1e7] [--seed 1]`: says how it goes, prints a summary, exits with 1 on a fault. */
import { parseArgs } from "node:util";
import { Soak } from "./soak-run.ts";

const { values } = parseArgs({ options: { jobs: { type: "string" }, seed: { type: "string" } } });
const jobs = Number(values.jobs ?? 1e7);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!(jobs > 0) || !Number.isInteger(seed)) {
  console.error("usage: pnpm soak [--jobs 1e7] [--seed 1]");
  process.exit(2);
}

const startedAt = performance.now();
const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`.padStart(7);
console.log(`soak: ${jobs} jobs, seed ${seed}`);
const soak = new Soak({ jobs, seed, log: (line) => console.log(`${elapsed()}  ${line}`) });
try {
  await soak.run();
} catch (error) {
  soak.ledger.fault(String((error as Error).stack));
}
console.log(soak.summary());
for (const fault of soak.ledger.faults) console.log(`FAULT ${fault}`);
process.exit(soak.ledger.faults.length === 0 ? 0 : 1);

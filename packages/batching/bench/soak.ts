/**
 * Hours of ordinary life in one process: producers here and on threads that come, go and are ended; a pump that is quick, slow,
 * and fails; restarts with and without draining. Checks that every item is pumped or given back once, and that memory stays put.
 *
 *     pnpm build && pnpm --filter @skein/batching soak          10 minutes
 *     SKEIN_SOAK_SECONDS=60 pnpm --filter @skein/batching soak
 *
 * The last line is a summary; exit code 1 says that something was lost, doubled, out of order, or kept in memory.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Soak } from "./soak-run.ts";

const DEFAULT_SECONDS = 600;
const seconds = Number(process.env["SKEIN_SOAK_SECONDS"] ?? DEFAULT_SECONDS);
const soak = new Soak();
const end = performance.now() + seconds * 1000;
let lastReport = performance.now();
while (performance.now() < end && soak.faults.length === 0) {
  await soak.round(Math.min(2000, end - performance.now()));
  if (performance.now() - lastReport < 10_000) continue;
  lastReport = performance.now();
  console.log(soak.summary());
}
await delay(0);
soak.checkMemory();
console.log(soak.summary());
for (const fault of soak.faults.slice(0, 20)) console.log(`FAULT ${fault}`);
process.exitCode = soak.faults.length === 0 ? 0 : 1;

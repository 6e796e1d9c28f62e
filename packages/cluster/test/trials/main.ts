/** `pnpm --filter @skein/cluster trial:kill [--seconds 30] [--seed 1] [--only kill|server|blocked|events]`: ends with 1 if a job was lost or settled twice. */
import { parseArgs } from "node:util";
import { startRedis } from "../../../../test/support/redis-server.ts";
import { killTrial } from "./kill-trial.ts";
import { callerBlocked, noEvents, serverKilled } from "./other-trials.ts";
import type { Counts } from "./tally.ts";

const BLOCKED_MS = 20_000;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 1e6) },
    only: { type: "string" },
  },
});
const seed = Number(values.seed);
const server = await startRedis({ appendOnly: true });
if (server === null) process.exit(1);

const trials: Readonly<Record<string, () => Promise<Counts>>> = {
  kill: () =>
    killTrial({
      connection: server.url,
      name: "kill",
      ms: Number(values.seconds) * 1000,
      seed,
      killEveryMs: 2000,
      lockMs: 5000,
    }),
  events: () => noEvents(server.url, "events"),
  blocked: () => callerBlocked(server.url, "blocked", BLOCKED_MS),
  server: () => serverKilled(server, "server"),
};

let isGood = true;
console.log(`seed ${seed}`);
for (const [name, trial] of Object.entries(trials)) {
  if (values.only !== undefined && values.only !== name) continue;
  const counts = await trial();
  console.log(
    `${name}: ${Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(", ")}`,
  );
  if (counts.lost > 0 || counts.settledTwice > 0 || counts.rejected > 0) isGood = false;
}
await server[Symbol.asyncDispose]();
process.exitCode = isGood ? 0 : 1;

/** A short form of `pnpm --filter @skein/cluster trial:kill`. */
import { afterAll, expect, it } from "vitest";
import { startRedis } from "../../../test/support/redis-server.ts";
import { killTrial } from "./trials/kill-trial.ts";

const redis = await startRedis();
afterAll(() => redis?.[Symbol.asyncDispose]());

it.skipIf(redis === null)("workers are killed under load, and each job settles once", async () => {
  const seed = Date.now() % 1e6;
  const trial = { connection: redis!.url, name: "kill", ms: 1500, seed, killEveryMs: 700, lockMs: 1500 };
  const counts = await killTrial(trial);
  console.log(`seed ${seed}, ${JSON.stringify(counts)}`);
  expect(counts).toMatchObject({ lost: 0, rejected: 0, settledTwice: 0, neverRan: 0 });
  expect(counts.kills).toBeGreaterThan(0);
});

/** Workers are killed at random while jobs are submitted. */
import { Cluster } from "@skein/cluster";
import { randomFrom } from "../../../../test/support/random.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import { WorkerProcess } from "../../../../test/support/worker-process.ts";
import { type Counts, Tally, trialModules } from "./tally.ts";

const UNDER_WAY = 100;
/** Jobs that wait, and jobs that return at once, which are fetched ahead of their turn, take turns. */
const TURN_MS = 400;

export interface KillTrial {
  readonly connection: string;
  readonly name: string;
  readonly ms: number;
  readonly seed: number;
  /** On average. */
  readonly killEveryMs: number;
  readonly lockMs: number;
}

export async function killTrial(trial: KillTrial): Promise<Counts & { readonly kills: number }> {
  const { connection, name, lockMs } = trial;
  const random = randomFrom(trial.seed);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const start = () => new WorkerProcess({ connection, name, modules: trialModules, lockMs, threads: 4 });
  const workers = [start(), start()];
  const tally = new Tally();
  const cluster = new Cluster({ connection, name });
  await workers[0]!.ready;
  const end = performance.now() + trial.ms;
  let kills = 0;
  const killing = (async () => {
    do {
      await pause(trial.killEveryMs * (0.5 + random()));
      const index = Math.floor(random() * workers.length);
      await workers[index]!.kill();
      kills++;
      workers[index] = start();
    } while (performance.now() < end);
  })();
  try {
    while (performance.now() < end) {
      // Many retries: on a busy machine a worker may pass for lost that was only slow.
      const isAtOnce = Math.floor(performance.now() / TURN_MS) % 2 === 0;
      while (tally.underWay < UNDER_WAY)
        tally.submit(cluster, isAtOnce ? 0 : Math.floor(random() * 40), { retries: 50 });
      await pause(5);
    }
    await killing;
    return { ...(await tally.counts(timeLimit(60_000))), kills };
  } finally {
    await cluster.close({ drain: false, timeoutMs: 1000 });
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
    tally[Symbol.dispose]();
  }
}

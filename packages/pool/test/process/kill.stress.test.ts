/**
 * Processes are killed, stopped jobs withdrawn and jobs sent ahead taken back at random instants: every job settles once, and none is begun
 * twice. SKEIN_STRESS_MS sets the time; SKEIN_SEED repeats a run as far as processes can be repeated.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { Gates } from "../../../../test/engines/gates.ts";
import { ThreadCrashedError } from "../../src/index.ts";
import { ProcessPool } from "../../src/process.ts";
import type * as Jobs from "../fixtures/process.jobs.ts";
import { seededRandom } from "../shared/seeded-random.ts";

const stressMs = Number(process.env["SKEIN_STRESS_MS"] ?? 1000);
const seed = Number(process.env["SKEIN_SEED"] ?? Date.now() % 1_000_000);
const BURST = 60;

type Outcome = "done" | "crashed" | "canceled" | "wrong";

it(
  "processes killed at random: every job settles once, and none is begun twice",
  async () => {
    console.log(`seed ${seed}`);
    const random = seededRandom(seed);
    const gates = new Gates(false);
    const file = gates.make(0) as string;
    const pool = new ProcessPool({ maxThreads: 2, jobsPerThread: 2 });
    const { leaveMark } = pool.module<typeof Jobs>(new URL("../fixtures/process.jobs.ts", import.meta.url));
    const outcomes: Promise<Outcome>[] = [];
    const submit = (): void => {
      const mark = outcomes.length;
      const isLong = random() < 0.03;
      const controller = new AbortController();
      const { signal } = controller;
      const args = [file, mark, isLong ? 20 : random() / 2, random() < 0.1 ? 5 : 0] as const;
      const task = pool.run(leaveMark, [...args], {
        signal,
        priority: random() < 0.2 ? "high" : "normal",
        exclusive: random() < 0.02,
      });
      if (random() < 0.1) setTimeout(() => controller.abort(), random() * 10);
      const outcomeOf = async (): Promise<Outcome> => {
        try {
          return (await task) === mark ? "done" : "wrong";
        } catch (error) {
          if (error === signal.reason) return "canceled";
          return error instanceof ThreadCrashedError && error.signal === "SIGKILL" ? "crashed" : "wrong";
        }
      };
      outcomes.push(outcomeOf());
    };
    const until = performance.now() + stressMs;
    let kills = 0;
    while (performance.now() < until) {
      for (let i = 0; i < BURST; i++) submit();
      await sleep(random() * 40);
      await pool.ready({ below: BURST });
      const pids = pool.stats().perThread.map(({ threadId }) => threadId);
      if (pids.length === 0 || random() < 0.6) continue;
      process.kill(pids[Math.floor(random() * pids.length)]!, "SIGKILL");
      kills++;
    }
    await pool.close();
    const ended = await Promise.all(outcomes);
    const begun = ended.map(() => 0);
    for (const line of readFileSync(file, "utf8").split("\n")) if (line !== "") begun[Number(line)]!++;
    gates.remove();
    expect(Math.max(...begun)).toBe(1);
    expect(ended).not.toContain("wrong");
    expect(ended.filter((outcome, i) => outcome === "done" && begun[i] !== 1)).toEqual([]);
    const crashed = ended.filter((outcome) => outcome === "crashed").length;
    // Two that were begun, at most, in each.
    expect(crashed).toBeLessThanOrEqual(kills * 2);
  },
  stressMs * 10 + 60_000,
);

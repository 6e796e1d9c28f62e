/**
 * One scenario: all contenders are opened, then take turns round by round. The order moves on by one each round and every
 * second round runs backwards, so that nobody is always first, and nobody always runs after the same neighbour.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender, Run, Sample, Scenario } from "./scenario.ts";
import type { Progress } from "./progress.ts";

export interface ContenderResult {
  readonly contender: Contender;
  /** One per round that succeeded. */
  readonly samples: readonly Sample[];
  /** Why it has no samples, or fewer than the others. */
  readonly error: string | null;
}

interface Entry {
  readonly contender: Contender;
  readonly samples: Sample[];
  run: Run | null;
  error: string | null;
}

const ROUND_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 10_000;
/** Threads of the contender before fall asleep. */
const PAUSE_MS = 2;

/** Never rejects: what a contender throws is its result. */
export async function interleave(
  scenario: Scenario,
  rounds: number,
  progress: Progress,
): Promise<ContenderResult[]> {
  const timeoutMs = scenario.timeoutMs ?? ROUND_TIMEOUT_MS;
  const entries: Entry[] = scenario.contenders.map((contender) => ({
    contender,
    samples: [],
    run: null,
    error: null,
  }));
  const attempt = async <T>(entry: Entry, what: string, action: () => Promise<T>): Promise<T | null> => {
    try {
      return await within(action(), timeoutMs, what);
    } catch (error) {
      entry.error = `${what}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
      progress.failure(entry.contender.name, entry.error);
      return null;
    }
  };

  for (const entry of entries) entry.run = await attempt(entry, "open", () => entry.contender.open());
  for (let round = -(scenario.warmUps ?? 1); round < rounds; round++) {
    for (const entry of orderOf(entries, round)) {
      const { run } = entry;
      if (run === null || entry.error !== null) continue;
      progress.round(round, rounds, entry.contender.name);
      globalThis.gc?.();
      await sleep(PAUSE_MS);
      const sample = await attempt(entry, round < 0 ? "warm-up" : `round ${round + 1}`, () => run.round());
      if (sample !== null && round >= 0) entry.samples.push(sample);
    }
  }
  for (const { run } of entries) {
    // A contender that cannot end has been measured all the same.
    if (run !== null) await within(run.close(), CLOSE_TIMEOUT_MS, "close").catch(() => {});
  }
  return entries.map(({ contender, samples, error }) => ({ contender, samples, error }));
}

export function orderOf<T>(entries: readonly T[], round: number): T[] {
  const start = ((round % entries.length) + entries.length) % entries.length;
  const rotated = [...entries.slice(start), ...entries.slice(0, start)];
  return round % 2 === 0 ? rotated : rotated.toReversed();
}

async function within<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal, ref: true }).then(() => {
    throw new Error(`${what} took longer than ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}

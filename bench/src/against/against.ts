/**
 * Skein as it is built here next to Skein of another commit. Each repetition starts a process of each build, which then take turns, round
 * by round. The median of a process's rounds is one sample: what differs from process to process (where code and data come to lie,
 * when the compiler strikes) is part of the noise that a difference has to rise above. What got slower is measured once more, from the
 * start: with so many comparisons, one in some hundreds says so by chance, and hardly ever twice.
 */
import { fileURLToPath } from "node:url";
import { takeFingerprint } from "../method/fingerprint.ts";
import type { Sample, Scenario } from "../method/scenario.ts";
import { median } from "../method/statistics.ts";
import type { BenchOptions } from "../run/options.ts";
import { scaleOf } from "../run/section-run.ts";
import { loadSection, sections } from "../sections.ts";
import { Build } from "./build.ts";
import { confirmed, judge, judgementLine, type Judgement } from "./judgement.ts";
import { openWorktree } from "./worktree.ts";

const ROUNDS_PER_PROCESS = 3;
/** With fewer, not even samples that do not overlap at all would be told apart. */
const LEAST_REPETITIONS = 5;

const repository = fileURLToPath(new URL("../../../", import.meta.url));

interface Pair {
  readonly section: string;
  readonly scenario: Scenario;
  readonly contender: string;
  readonly before: Sample[];
  readonly after: Sample[];
}

/** The exit code: 1 when something got slower, or could not be measured. */
export async function runAgainst(ref: string, options: BenchOptions): Promise<number> {
  const worktree = openWorktree(repository, ref);
  process.once("SIGINT", () => {
    worktree.remove();
    process.exit(130);
  });
  try {
    announce(ref, worktree.root, options);
    const judgements: Judgement[] = [];
    let failed = false;
    for (const name of options.only ?? Object.keys(sections)) {
      const pairs = await pairsOf(name, options);
      const found = await measureAndJudge(pairs, worktree.root, options);
      judgements.push(...found);
      if (pairs.some(({ before }) => before.length === 0)) failed = true;
    }
    return summary(judgements) || failed ? 1 : 0;
  } finally {
    worktree.remove();
  }
}

function announce(ref: string, root: string, { mode }: BenchOptions): void {
  const [before, after] = [takeFingerprint(mode, root), takeFingerprint(mode)];
  const same = before.dist === after.dist ? ": the same build twice, whatever differs is noise" : "";
  const state = after.dirty ? `${after.commit} with local changes` : after.commit;
  console.log(`${ref} (${before.commit}, built files ${before.dist}) → ${state} (${after.dist})${same}`);
  console.log(`Node.js ${process.version}, ${after.cpu}, ${after.cores} cores`);
}

async function pairsOf(name: string, { mode }: BenchOptions): Promise<Pair[]> {
  const all = await (await loadSection(name)).scenarios(scaleOf(mode, 1));
  return all
    .filter(({ regression }) => regression === true)
    .flatMap((scenario) =>
      scenario.contenders
        .filter(({ kind }) => kind === "skein")
        .map((contender) => pairOf(name, scenario, contender.name)),
    );
}

function pairOf(section: string, scenario: Scenario, contender: string): Pair {
  return { section, scenario, contender, before: [], after: [] };
}

/** Prints a line for each metric. What is slower at first is what it is the second time. */
async function measureAndJudge(
  pairs: readonly Pair[],
  otherRoot: string,
  options: BenchOptions,
): Promise<Judgement[]> {
  await measure(pairs, otherRoot, options);
  const first = pairs.map((pair) => ({ pair, judgements: judgePair(pair) }));
  const isSuspect = ({ verdict }: Judgement): boolean => verdict === "slower";
  const again = first
    .filter(({ judgements }) => judgements.some(isSuspect))
    .map(({ pair: { section, scenario, contender } }) => pairOf(section, scenario, contender));
  if (again.length > 0) console.log("Once more, what got slower:");
  await measure(again, otherRoot, options);
  const second = again.flatMap(judgePair);
  return first.flatMap(({ judgements }) =>
    judgements.map((own) => (isSuspect(own) ? confirmed(own, second) : own)),
  );
}

async function measure(
  pairs: readonly Pair[],
  otherRoot: string,
  { mode, rounds }: BenchOptions,
): Promise<void> {
  const repetitions = Math.max(LEAST_REPETITIONS, rounds);
  for (let repetition = 0; repetition < repetitions && pairs.length > 0; repetition++) {
    process.stderr.write(`${pairs[0]!.section}: process pair ${repetition + 1} of ${repetitions}\n`);
    const [before, after] = [new Build(otherRoot), new Build(repository)];
    try {
      for (const pair of pairs) {
        const { section, scenario, contender } = pair;
        const open = { ask: "open", section, scenario: scenario.name, contender, mode } as const;
        // Who begins changes with every repetition.
        const sides = [
          { build: before, samples: pair.before },
          { build: after, samples: pair.after },
        ];
        await takeTurns(repetition % 2 === 0 ? sides : sides.toReversed(), open, pair);
      }
    } finally {
      before.end();
      after.end();
    }
  }
}

function placeOf({ section, scenario, contender }: Pair): string {
  return `${section}: ${scenario.title}, ${contender}`;
}

interface Side {
  readonly build: Build;
  readonly samples: Sample[];
}

/** A failure costs this pair its sample, not the run. */
async function takeTurns(
  sides: readonly Side[],
  open: Parameters<Build["ask"]>[0],
  pair: Pair,
): Promise<void> {
  const { scenario } = pair;
  const rounds = sides.map((): Sample[] => []);
  try {
    for (const { build } of sides) await build.ask(open);
    const last = scenario.roundsAgainst ?? ROUNDS_PER_PROCESS;
    for (let round = -(scenario.warmUps ?? 1); round < last; round++) {
      for (const [i, { build }] of sides.entries()) {
        const sample = await build.ask({ ask: "round" });
        if (round >= 0 && sample !== null) rounds[i]!.push(sample);
      }
    }
    for (const { build } of sides) await build.ask({ ask: "close" });
  } catch (error) {
    process.stderr.write(
      `FAILED ${placeOf(pair)}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return;
  }
  for (const [i, { samples }] of sides.entries()) samples.push(medianOf(rounds[i]!, scenario));
}

function medianOf(rounds: readonly Sample[], { metrics }: Scenario): Sample {
  return Object.fromEntries(metrics.map(({ key }) => [key, median(rounds.map((sample) => sample[key]!))]));
}

/** Nothing when there are no samples. */
function judgePair(pair: Pair): Judgement[] {
  const { scenario, before, after } = pair;
  const place = placeOf(pair);
  if (before.length === 0) {
    console.log(`FAILED  ${place}`);
    return [];
  }
  return scenario.metrics
    .filter(({ better }) => better !== "neither")
    .map((metric) => {
      const samples = (side: readonly Sample[]): number[] => side.map((sample) => sample[metric.key]!);
      const judgement = judge({ place, metric, before: samples(before), after: samples(after) });
      console.log(judgementLine(judgement));
      return judgement;
    });
}

/** Whether something got slower. */
function summary(judgements: readonly Judgement[]): boolean {
  const count = (verdict: Judgement["verdict"]): Judgement[] =>
    judgements.filter((own) => own.verdict === verdict);
  const slower = count("slower");
  console.log(
    `\n${slower.length} slower, ${count("faster").length} faster, ${count("same").length} the same`,
  );
  for (const judgement of slower) console.log(judgementLine(judgement));
  return slower.length > 0;
}

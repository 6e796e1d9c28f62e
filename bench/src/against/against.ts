/**
 * Skein as it is built here next to Skein of another commit. Each repetition starts a process of each build, which then take turns, round
 * by round. The median of a process's rounds is one sample: what differs from process to process (where code and data come to lie,
 * when the compiler strikes) is part of the noise that a difference has to rise above.
 */
import { fileURLToPath } from "node:url";
import { takeFingerprint } from "../method/fingerprint.ts";
import type { Sample, Scenario } from "../method/scenario.ts";
import { median } from "../method/statistics.ts";
import type { BenchOptions } from "../run/options.ts";
import { scaleOf } from "../run/section-run.ts";
import { loadSection, sections } from "../sections.ts";
import { Build } from "./build.ts";
import { judge, judgementLine, type Judgement } from "./judgement.ts";
import { openWorktree } from "./worktree.ts";

const ROUNDS_PER_PROCESS = 3;
/** With fewer, not even samples that do not overlap at all would be told apart. */
const LEAST_REPETITIONS = 5;

const repository = fileURLToPath(new URL("../../../", import.meta.url));

interface Pair {
  readonly place: string;
  readonly scenario: Scenario;
  readonly before: Sample[];
  readonly after: Sample[];
}

/** The exit code: 1 when something got slower, or could not be measured. */
export async function runAgainst(ref: string, options: BenchOptions): Promise<number> {
  const repetitions = Math.max(LEAST_REPETITIONS, options.rounds);
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
      const pairs = await measureSection(name, options, worktree.root, repetitions);
      for (const pair of pairs) {
        const own = judgePair(pair);
        if (own === null) failed = true;
        else judgements.push(...own);
      }
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

async function measureSection(
  name: string,
  options: BenchOptions,
  otherRoot: string,
  repetitions: number,
): Promise<Pair[]> {
  const section = await loadSection(name);
  const all = await section.scenarios(scaleOf(options.mode, 1));
  const chosen = all.filter(({ regression }) => regression === true);
  const pairs = chosen.flatMap((scenario) =>
    scenario.contenders
      .filter(({ kind }) => kind === "skein")
      .map((contender) => ({ contender: contender.name, pair: pairOf(name, scenario, contender.name) })),
  );
  for (let repetition = 0; repetition < repetitions && pairs.length > 0; repetition++) {
    process.stderr.write(`${name}: process pair ${repetition + 1} of ${repetitions}\n`);
    const [before, after] = [new Build(otherRoot), new Build(repository)];
    try {
      for (const { contender, pair } of pairs) {
        const open = {
          ask: "open",
          section: name,
          scenario: pair.scenario.name,
          contender,
          mode: options.mode,
        } as const;
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
  return pairs.map(({ pair }) => pair);
}

function pairOf(section: string, scenario: Scenario, contender: string): Pair {
  return { place: `${section}: ${scenario.title}, ${contender}`, scenario, before: [], after: [] };
}

interface Side {
  readonly build: Build;
  readonly samples: Sample[];
}

/** A failure costs this pair its sample, not the run. */
async function takeTurns(
  sides: readonly Side[],
  open: Parameters<Build["ask"]>[0],
  { place, scenario }: Pair,
): Promise<void> {
  const rounds = sides.map((): Sample[] => []);
  try {
    for (const { build } of sides) await build.ask(open);
    for (let round = -(scenario.warmUps ?? 1); round < ROUNDS_PER_PROCESS; round++) {
      for (const [i, { build }] of sides.entries()) {
        const sample = await build.ask({ ask: "round" });
        if (round >= 0 && sample !== null) rounds[i]!.push(sample);
      }
    }
    for (const { build } of sides) await build.ask({ ask: "close" });
  } catch (error) {
    process.stderr.write(`FAILED ${place}: ${error instanceof Error ? error.message : String(error)}\n`);
    return;
  }
  for (const [i, { samples }] of sides.entries()) samples.push(medianOf(rounds[i]!, scenario));
}

function medianOf(rounds: readonly Sample[], { metrics }: Scenario): Sample {
  return Object.fromEntries(metrics.map(({ key }) => [key, median(rounds.map((sample) => sample[key]!))]));
}

/** Null when there is nothing to judge. */
function judgePair({ place, scenario, before, after }: Pair): Judgement[] | null {
  if (before.length === 0) {
    console.log(`FAILED  ${place}`);
    return null;
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

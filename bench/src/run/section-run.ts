/** One section from its first scenario to its raw file, in this process. */
import { loadavg } from "node:os";
import { interleave } from "../method/interleave.ts";
import { Progress } from "../method/progress.ts";
import { rawScenario, type RawScenario, type RawSection, writeRaw } from "../method/raw-file.ts";
import type { Scale, Section } from "../method/scenario.ts";
import type { Fingerprint } from "../method/fingerprint.ts";

export interface SectionRun {
  readonly fingerprint: Fingerprint;
  readonly command: string;
  readonly pinning: string;
  readonly out: string;
  readonly rounds: number;
  /** Whether `rounds` were asked for, and overrule what a scenario would take. */
  readonly roundsGiven: boolean;
}

export function scaleOf(mode: Scale["mode"], rounds: number): Scale {
  return { mode, rounds, pick: (full, quick) => (mode === "full" ? full : quick) };
}

/** The raw file is written after every scenario: a process that dies loses one scenario, not the section. */
export async function runSection(section: Section, run: SectionRun): Promise<RawSection> {
  const progress = new Progress(section.name);
  const startedAt = new Date();
  const [loadBefore = 0] = loadavg();
  const scenarios: RawScenario[] = [];
  const snapshot = (error: string | null): RawSection => ({
    format: 1,
    section: section.name,
    fingerprint: run.fingerprint,
    command: run.command,
    rounds: run.rounds,
    pinning: run.pinning,
    startedAt: startedAt.toISOString(),
    loadBefore,
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    scenarios,
    error,
  });
  writeRaw(run.out, snapshot("the process of this section ended before its first scenario was done"));
  try {
    const all = await section.scenarios(scaleOf(run.fingerprint.mode, run.rounds));
    for (const [index, scenario] of all.entries()) {
      progress.scenario(scenario.name, index, all.length);
      const rounds = run.roundsGiven ? run.rounds : (scenario.rounds ?? run.rounds);
      scenarios.push(rawScenario(scenario, await interleave(scenario, rounds, progress)));
      const left = all.length - index - 1;
      writeRaw(
        run.out,
        snapshot(left === 0 ? null : `the process of this section ended with ${left} scenarios to go`),
      );
    }
    if (all.length === 0) writeRaw(run.out, snapshot(null));
  } catch (error) {
    writeRaw(run.out, snapshot(error instanceof Error ? (error.stack ?? error.message) : String(error)));
    throw error;
  }
  progress.end();
  return snapshot(null);
}

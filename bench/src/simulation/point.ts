/** All simulations with one number of threads. Arguments: that number, what was measured (a JSON file), the jobs of a burst, and how often a job divides itself. Prints a Point as JSON. */
import { readFileSync } from "node:fs";
import { answer } from "../method/child.ts";
import type { JobCosts } from "./costs.ts";
import { burst, divide, operationsAlone, ringAlone, type Situation } from "./engine.ts";
import { FAR_NS } from "./far.ts";
import { JOB_US } from "./lengths.ts";
import type { Measured } from "./measure-costs.ts";

export interface Point {
  readonly threads: number;
  readonly bursts: readonly Run[];
  /** The same with a line's readers served one after the other. */
  readonly queuedBursts: readonly Run[];
  readonly divisions: readonly Run[];
  /** Entries per second, by rings; and the one ring with lines that take `farNs`. */
  readonly ring: readonly { readonly rings: number; readonly perSecond: number }[];
  readonly farRing: number;
  /** One ring, whose `pop` goes on at once after a failure. */
  readonly hastyRing: number;
  /** What this machine should do with so many threads; null when it was not measured with as many. */
  readonly here: { readonly bursts: readonly Run[]; readonly divisions: readonly Run[] } | null;
}

export interface Run {
  readonly jobUs: number;
  readonly perSecond: number;
}

const RINGS = [1, 2, 4, 8, 16];
const ALONE = 10_000;
/** Jobs where there are many threads, which takes a while. */
const FEWER = 3000;

const [threadsText = "1", file = "", jobs = "", divisions = ""] = process.argv.slice(2);
const threads = Number(threadsText);
const measured = JSON.parse(readFileSync(file, "utf8")) as Measured;
const { costs } = measured;
const jobCosts = plainCosts();
const many = threads > 32 ? Math.min(FEWER, Number(jobs)) : Number(jobs);
const depth = Number(divisions);

const situation = (jobUs: number, more: Partial<Situation> = {}): Situation => ({
  costs,
  jobCosts,
  threads,
  jobUs,
  readsQueue: false,
  ...more,
});
const burstsWith = (more: Partial<Situation>): Run[] =>
  JOB_US.map((jobUs) => ({ jobUs, perSecond: burst(situation(jobUs, more), many) }));
const divisionsWith = (more: Partial<Situation>): Run[] =>
  JOB_US.map((jobUs) => ({ jobUs, perSecond: divide(situation(jobUs, more), depth) }));

const point: Point = {
  threads,
  bursts: burstsWith({}),
  queuedBursts: burstsWith({ readsQueue: true }),
  divisions: divisionsWith({}),
  ring: RINGS.map((rings) => ({ rings, perSecond: ringAlone(situation(0), rings, many) })),
  farRing: ringAlone(situation(0, { costs: { ...costs, transferNs: FAR_NS } }), 1, many),
  hastyRing: ringAlone(situation(0, { pauses: false }), 1, many),
  here: measured.bursts.some((run) => run.threads === threads)
    ? {
        bursts: burstsWith({ cores: measured.cores }),
        divisions: divisionsWith({ cores: measured.cores }),
      }
    : null,
};
answer(point);

/** What was measured, without the operations that are simulated. */
function plainCosts(): JobCosts {
  const simulated = operationsAlone(costs, ALONE);
  const less = (key: keyof JobCosts): number => Math.max(0, measured.jobs[key] - simulated[key]);
  return { makeNs: less("makeNs"), runNs: less("runNs"), settleNs: less("settleNs"), forkNs: less("forkNs") };
}

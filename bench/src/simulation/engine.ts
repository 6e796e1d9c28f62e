/** Loads the programs with the pool's own code under them, made to step, on the simulated machine. */
import { registerHooks } from "node:module";
import { createLayout } from "../../../packages/pool/src/shared/layout.ts";
import { Stepping } from "../../../test/support/stepping.ts";
import type { Costs, JobCosts } from "./costs.ts";
import * as machine from "./machine.ts";
import type * as Programs from "./programs.ts";

const pool = new URL("../../../packages/pool/src/", import.meta.url);
const SHARED = ["ring", "deque", "job-queues", "parking", "slot", "inbox", "places", "pool-memory"];
const files = [
  ...SHARED.map((name) => new URL(`shared/${name}.ts`, pool)),
  new URL("worker/rest.ts", pool),
  new URL("worker/spinner.ts", pool),
  new URL("programs.ts", import.meta.url),
];
const machineUrl = new URL("machine.ts", import.meta.url);
/** What the machine stands in for. */
const replaced: ReadonlySet<string> = new Set(
  ["shared/atomics.ts", "shared/timers.ts"].map((name) => new URL(name, pool).href),
);
const stepping = new Stepping(files, machineUrl, "functions");

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const isReplaced =
      replaced.has(resolved.url) || (specifier === "node:os" && stepping.has(context.parentURL ?? ""));
    return isReplaced ? { ...resolved, url: machineUrl.href, format: "module-typescript" } : resolved;
  },
  load(url, context, next) {
    if (!stepping.has(url)) return next(url, context);
    return { format: "module", source: stepping.transformed(url), shortCircuit: true };
  },
});
const programs: typeof Programs = await import("./programs.ts");

/** As of a pool by default. */
const HOST_SLOTS = 16_384;
const SPIN_LIMIT_US = 50;

export interface Situation {
  readonly costs: Costs;
  readonly jobCosts: JobCosts;
  readonly threads: number;
  readonly jobUs: number;
  /** Left out: as many as there are threads, and one for the caller. */
  readonly cores?: number;
  readonly readsQueue?: boolean;
  /** Left out: yes. */
  readonly pauses?: boolean;
}

function begin(
  { costs, jobCosts, threads, jobUs, cores, readsQueue, pauses }: Situation,
  extraRings = 0,
): Programs.Shared {
  const layout = createLayout(HOST_SLOTS, threads);
  const ringWords = layout.ringCells + 32;
  const shared: Programs.Shared = {
    control: new SharedArrayBuffer(layout.controlBytes + extraRings * ringWords * 4 + 64),
    slots: new SharedArrayBuffer(layout.slotsBytes),
    layout,
    costs,
    jobCosts,
    jobNs: jobUs * 1000,
    spinLimitUs: SPIN_LIMIT_US,
    over: false,
  };
  machine.reset({
    costs,
    cores: cores ?? threads + 1,
    memories: [new Int32Array(shared.control), new Int32Array(shared.slots)],
    readsQueue: readsQueue ?? true,
    pauses: pauses ?? true,
  });
  return shared;
}

/** Jobs per second, of so many that one caller submits at once. */
export function burst(situation: Situation, jobs: number): number {
  const shared = begin(situation);
  machine.start(programs.host, shared, jobs);
  for (let i = 0; i < situation.threads; i++) machine.start(programs.thread, shared, i);
  return (jobs / machine.run()) * 1e9;
}

/** Jobs per second, of 2^depth that one job divides itself into. */
export function divide(situation: Situation, depth: number): number {
  const shared = begin(situation);
  machine.start(programs.divider, shared, depth);
  for (let i = 1; i < situation.threads; i++) machine.start(programs.thief, shared, i);
  return (2 ** depth / machine.run()) * 1e9;
}

/** Entries per second through `rings` rings, from one thread that does nothing but push to many that do nothing but pop. */
export function ringAlone(situation: Situation, rings: number, count: number): number {
  const shared = begin(situation, rings);
  const { layout } = shared;
  const first = Math.ceil(layout.controlBytes / 64) * 16;
  const bases = Array.from({ length: rings }, (_, i) => first + i * (layout.ringCells + 32));
  const taken: Programs.Counter = { count: 0 };
  machine.start(programs.producer, shared, bases, count, taken);
  for (let i = 0; i < situation.threads; i++) machine.start(programs.consumer, shared, bases, i, taken);
  return (count / machine.run()) * 1e9;
}

/** What submitting, running and settling a job take of simulated operations alone, one after the other. */
export function operationsAlone(costs: Costs, jobs: number): JobCosts {
  const none: JobCosts = { makeNs: 0, runNs: 0, settleNs: 0, forkNs: 0 };
  const situation: Situation = { costs, jobCosts: none, threads: 1, jobUs: 0 };
  const taken: Programs.Phases = { makeNs: 0, runNs: 0, settleNs: 0 };
  machine.start(programs.phases, begin(situation), jobs, taken);
  machine.run();
  const depth = 14;
  return { ...taken, forkNs: 1e9 / divide(situation, depth) };
}

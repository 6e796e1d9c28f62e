/**
 * What this machine takes for the operations that are simulated, and the pool for a job: medians of a few tries each. `node measure-costs.ts` prints them, and what
 * the pool does with one thread and two, for comparison.
 */
import { availableParallelism } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ThreadPool } from "@skein/pool";
import type * as ForkJobs from "../jobs/fork-join.mjs";
import type * as Jobs from "../jobs/simulated.mjs";
import { wakeAllCores } from "../method/all-cores.ts";
import { answer } from "../method/child.ts";
import { median } from "../method/statistics.ts";
import { jobFile } from "../peers/product.ts";
import type { Costs, JobCosts } from "./costs.ts";
import { JOB_US } from "./lengths.ts";

export interface Measured {
  readonly costs: Costs;
  /** With the operations that are simulated. */
  readonly jobs: JobCosts;
  /** Two threads that add to one word, each addition. */
  readonly contendedNs: number;
  readonly cores: number;
  readonly bursts: readonly RealRun[];
  readonly divisions: readonly RealRun[];
}

/** Jobs per second, one for each try. */
export interface RealRun {
  readonly threads: number;
  readonly jobUs: number;
  readonly perSecond: readonly number[];
}

/** Of a job that divides itself. */
const DEPTH = 12;
const BURST = 10_000;
const TRIES = 7;
const LOOPS = 2_000_000;
const PHASE_JOBS = 10_000;
const WARM_UPS = 12;
/** Of jobs that take long: what is around them is compiled by then. */
const LONG_WARM_UPS = 2;
/** Of rounds of PHASE_JOBS: until everything is compiled. */
const PHASE_WARM_UPS = 40;

const words = new Int32Array(new SharedArrayBuffer(1024));
const at = { command: 0, ball: 64, shared: 128, asleep: 192 } as const;

answer(await measure());

async function measure(): Promise<Measured> {
  const costs = await machineCosts();
  return {
    costs: costs.costs,
    contendedNs: costs.contendedNs,
    jobs: { ...(await phases()), forkNs: await forkNs() },
    cores: availableParallelism(),
    bursts: await bursts(),
    divisions: await divisions(),
  };
}

function timed(count: number, action: () => void): number {
  const started = performance.now();
  action();
  return ((performance.now() - started) * 1e6) / count;
}

/** The median; the first tries, which are not compiled yet, left out. */
function tries(one: () => number): number {
  for (let i = 0; i < 2; i++) one();
  return median(Array.from({ length: TRIES }, one));
}

async function machineCosts(): Promise<{ costs: Costs; contendedNs: number }> {
  const own = new Int32Array(new SharedArrayBuffer(64));
  const empty = tries(() => timed(LOOPS, () => spinEmpty(LOOPS)));
  const loop = (step: () => void): number => Math.max(0.3, tries(() => timed(LOOPS, step)) - empty);
  const loadNs = loop(() => loads(own, LOOPS));
  const storeNs = loop(() => stores(own, LOOPS));
  const casNs = loop(() => swaps(own, LOOPS));
  const pauseNs = loop(() => pauses(LOOPS));
  const clockNs = tries(() => timed(100_000, () => clocks(100_000)));
  const notifyNs = tries(() => timed(100_000, () => notifies(own, 100_000)));

  const worker = new Worker(new URL("partner.ts", import.meta.url), { workerData: { words, at } });
  await new Promise((resolve) => worker.once("message", resolve));
  const rounds = 200_000;
  // There and back: two lines' ways, and on each a store.
  const roundNs = tries(() => {
    command(1, rounds);
    return timed(rounds, () => pingPong(rounds));
  });
  const contendedNs = tries(() => {
    command(2, rounds * 5);
    return timed(rounds * 5, () => adds(words, at.shared, rounds * 5)) / 2;
  });
  const wakes = Array.from({ length: 60 }, wakeOnce);
  command(0, 0);
  await worker.terminate();

  const turnNs = await turns();
  const message = await messages();
  return {
    contendedNs,
    costs: {
      loadNs,
      storeNs,
      casNs,
      transferNs: Math.max(1, roundNs / 2 - storeNs),
      pauseNs,
      clockNs,
      notifyNs,
      wakeNs: median(wakes.map(([wakeNs]) => wakeNs)),
      wakeLatencyNs: median(wakes.map(([, latencyNs]) => latencyNs)),
      sleepNs: notifyNs,
      turnNs,
      ...message,
    },
  };
}

function command(what: number, count: number): void {
  while (Atomics.load(words, at.command) !== 0);
  Atomics.store(words, at.ball, 0);
  Atomics.store(words, at.command + 1, count);
  Atomics.store(words, at.command, what === 0 ? 9 : what);
}

function pingPong(rounds: number): void {
  for (let i = 0; i < rounds; i++) {
    Atomics.store(words, at.ball, 2 * i + 1);
    while (Atomics.load(words, at.ball) !== 2 * i + 2);
  }
}

/** What it takes whoever wakes, and how long until the other runs. */
function wakeOnce(): [number, number] {
  command(3, 0);
  while (Atomics.load(words, at.asleep) === 0);
  const until = performance.now() + 1;
  while (performance.now() < until);
  const started = performance.now();
  Atomics.store(words, at.ball, 1);
  Atomics.notify(words, at.ball);
  const notified = performance.now();
  while (Atomics.load(words, at.asleep) !== 0);
  return [(notified - started) * 1e6, (performance.now() - started) * 1e6];
}

function spinEmpty(count: number): void {
  for (let i = 0; i < count; i++);
}
function loads(own: Int32Array, count: number): void {
  let sum = 0;
  for (let i = 0; i < count; i++) sum ^= Atomics.load(own, 0);
  own[8] = sum;
}
function stores(own: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) Atomics.store(own, 0, i);
}
function swaps(own: Int32Array, count: number): void {
  Atomics.store(own, 0, 0);
  for (let i = 0; i < count; i++) Atomics.compareExchange(own, 0, i, i + 1);
}
function adds(own: Int32Array, index: number, count: number): void {
  for (let i = 0; i < count; i++) Atomics.add(own, index, 1);
}
function pauses(count: number): void {
  const { pause } = Atomics as unknown as { pause: () => void };
  for (let i = 0; i < count; i++) pause.call(Atomics);
}
function clocks(count: number): void {
  let last = 0;
  for (let i = 0; i < count; i++) last = performance.now();
  words[255] = last;
}
function notifies(own: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) Atomics.notify(own, 0);
}

async function turns(): Promise<number> {
  const started = performance.now();
  await new Promise<void>((resolve) => {
    let left = 20_000;
    const turn = (): void => {
      if (--left === 0) resolve();
      else setImmediate(turn);
    };
    turn();
  });
  return ((performance.now() - started) * 1e6) / 20_000;
}

/** A message to this thread's event loop, which sleeps: as the bell of the pool. */
async function messages(): Promise<Pick<Costs, "messageNs" | "messageLatencyNs">> {
  const worker = new Worker(new URL("partner.ts", import.meta.url), { workerData: { words, at } });
  await new Promise((resolve) => worker.once("message", resolve));
  const sent: number[] = [];
  const latency: number[] = [];
  for (let i = 0; i < 60; i++) {
    const arrived = new Promise<{ at: number }>((resolve) => worker.once("message", resolve));
    command(4, 0);
    const { at: sentAt } = await arrived;
    latency.push((performance.timeOrigin + performance.now() - sentAt) * 1e6);
    sent.push(Atomics.load(words, at.asleep));
  }
  command(0, 0);
  await worker.terminate();
  return { messageNs: median(sent), messageLatencyNs: median(latency) };
}

/** Submitting, running and settling by themselves: the thread is held while jobs are submitted, and this thread while it runs them. */
async function phases(): Promise<Omit<JobCosts, "forkNs">> {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof Jobs>(jobFile("simulated"));
  const gate = new Int32Array(new SharedArrayBuffer(16));
  const times = new Float64Array(new SharedArrayBuffer(16));
  const found: (readonly [number, number, number])[] = [];
  for (let round = 0; round < TRIES + PHASE_WARM_UPS; round++) {
    gate.fill(0);
    if (round >= PHASE_WARM_UPS) wakeAllCores();
    const held = jobs.hold(gate, times);
    while (Atomics.load(gate, 1) === 0) await nextTurn();
    const tasks: PromiseLike<unknown>[] = [];
    const makeNs = timed(PHASE_JOBS, () => {
      for (let i = 0; i < PHASE_JOBS; i++) tasks.push(jobs.echo(i));
    });
    const last = jobs.stamp(gate, times);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    // Asleep, this core would be slow to begin again (all-cores.ts).
    while (Atomics.load(gate, 2) === 0);
    const runNs = ((times[1]! - times[0]!) * 1e6) / PHASE_JOBS;
    const started = performance.now();
    await Promise.all([held, last, ...tasks]);
    found.push([makeNs, runNs, ((performance.now() - started) * 1e6) / PHASE_JOBS]);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const kept = found.slice(PHASE_WARM_UPS);
  const of = (which: 0 | 1 | 2): number => median(kept.map((each) => each[which]));
  return { makeNs: of(0), runNs: of(1), settleNs: of(2) };
}

async function forkNs(): Promise<number> {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof ForkJobs>(jobFile("fork-join"));
  const found: number[] = [];
  for (let i = 0; i < TRIES + PHASE_WARM_UPS; i++) found.push(await jobs.forkCost(1, 50_000));
  return median(found.slice(PHASE_WARM_UPS));
}

async function bursts(): Promise<RealRun[]> {
  const found: RealRun[] = [];
  for (const threads of [1, 2]) {
    await using pool = new ThreadPool({ minThreads: threads, maxThreads: threads });
    const jobs = pool.module<typeof Jobs>(jobFile("simulated"));
    for (const jobUs of JOB_US) {
      const count = jobUs === 100 ? BURST / 5 : BURST;
      const perSecond: number[] = [];
      const warmUps = jobUs < 10 ? WARM_UPS : LONG_WARM_UPS;
      for (let i = 0; i < TRIES + warmUps; i++) {
        // Several: the collector's work is part of it, and not in each of them.
        const repeats = jobUs < 10 ? 5 : 1;
        if (i >= warmUps) wakeAllCores();
        const started = performance.now();
        for (let k = 0; k < repeats; k++) {
          await Promise.all(Array.from({ length: count }, () => jobs.compute(jobUs)));
        }
        perSecond.push(((repeats * count) / (performance.now() - started)) * 1000);
      }
      found.push({ threads, jobUs, perSecond: perSecond.slice(warmUps) });
    }
  }
  return found;
}

async function divisions(): Promise<RealRun[]> {
  const found: RealRun[] = [];
  for (const threads of [1, 2]) {
    await using pool = new ThreadPool({ minThreads: threads, maxThreads: threads });
    const jobs = pool.module<typeof Jobs>(jobFile("simulated"));
    for (const jobUs of JOB_US) {
      const depth = jobUs === 100 ? DEPTH - 2 : DEPTH;
      const perSecond: number[] = [];
      const warmUps = jobUs < 10 ? WARM_UPS : LONG_WARM_UPS;
      for (let i = 0; i < TRIES + warmUps; i++) {
        if (i >= warmUps) wakeAllCores();
        perSecond.push((2 ** depth / (await jobs.divided(depth, jobUs))) * 1000);
      }
      found.push({ threads, jobUs, perSecond: perSecond.slice(warmUps) });
    }
  }
  return found;
}

/** Jobs of all kinds on two pools, threads that are killed, and the memory of it all. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { ThreadPool, type ThreadPoolOptions } from "@skein/pool";
import { randomFrom } from "../support/random.ts";
import { type Arena, submitAny } from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import type * as Jobs from "./soak.jobs.ts";

export interface SoakOptions {
  readonly jobs: number;
  readonly seed: number;
  readonly log: (line: string) => void;
}

interface Memory {
  readonly jobs: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly outsideMb: number;
}

const OUTSTANDING = 400;
const SAY_EVERY_MS = 5000;
const KILL_EVERY_JOBS = 15_000;
const STUCK_MS = 120_000;
/** So much of the run warms up; what grows after it counts. */
const WARM_UP = 0.25;
const CHECKPOINTS = 16;
const jobsUrl = new URL("./soak.jobs.ts", import.meta.url);

export class Soak {
  readonly ledger: Ledger = new Ledger();
  readonly #random: () => number;
  readonly #workers: Set<Worker> = new Set();
  readonly #memory: Memory[] = [];
  readonly #arenas: Arena[] = [];
  #peakThreads = 0;
  #killed = 0;
  #mostThreads = 0;

  readonly #options: SoakOptions;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
  }

  async run(): Promise<void> {
    const { ledger } = this;
    process.on("worker", this.#onWorker);
    process.on("warning", this.#onWarning);
    process.on("unhandledRejection", this.#onRejection);
    this.#open({ name: "alone", maxThreads: 2, jobsPerThread: 1 });
    this.#open({ name: "crowded", minThreads: 1, maxThreads: 3, jobsPerThread: 8, idleTimeoutMs: 200 });
    await this.#submitAll();
    await this.#settled();
    for (const arena of this.#arenas) this.#checkCounts(arena);
    await Promise.all(this.#arenas.map(({ pool }) => pool.close()));
    await this.#threadsGone();
    if (ledger.submitted !== ledger.settled)
      ledger.fault(`${ledger.submitted} submitted, ${ledger.settled} settled`);
    this.#checkMemory();
    process.off("worker", this.#onWorker);
    process.off("warning", this.#onWarning);
    process.off("unhandledRejection", this.#onRejection);
  }

  summary(): string {
    const memory = this.#memory.map(
      ({ jobs, rssMb, heapMb, outsideMb }) =>
        `  ${String(jobs).padStart(10)} jobs  rss ${rssMb.toFixed(0)} MB, heap ${heapMb.toFixed(1)} MB, outside ${outsideMb.toFixed(1)} MB`,
    );
    const { submitted, settled, faults } = this.ledger;
    return [
      this.ledger.table(),
      ...memory,
      `seed ${this.#options.seed}: ${submitted} jobs submitted, ${settled} settled, ${this.#killed} threads killed from outside, at most ${this.#peakThreads} threads, ${faults.length} faults`,
    ].join("\n");
  }

  readonly #onWorker = (worker: Worker): void => {
    this.#workers.add(worker);
    this.#peakThreads = Math.max(this.#peakThreads, this.#workers.size);
    worker.once("exit", () => this.#workers.delete(worker));
  };
  readonly #onWarning = (warning: Error): void => this.ledger.fault(`warning: ${warning.stack}`);
  readonly #onRejection = (reason: unknown): void =>
    this.ledger.fault(`unhandled rejection: ${String((reason as Error)?.stack ?? reason)}`);

  #open(options: ThreadPoolOptions): void {
    const pool = new ThreadPool(options);
    this.#mostThreads += pool.maxThreads;
    this.#arenas.push({
      pool,
      jobs: pool.module<typeof Jobs>(jobsUrl),
      kills: { begun: 0, over: 0 },
      ticks: { counter: new Int32Array(new SharedArrayBuffer(4)), atLeast: 0, atMost: 0 },
    });
  }

  async #submitAll(): Promise<void> {
    const { ledger } = this;
    const { jobs, log } = this.#options;
    const random = this.#random;
    let nextKill = KILL_EVERY_JOBS / 2;
    let nextCheckpoint = jobs * WARM_UP;
    let said = performance.now();
    let moved = { at: said, settled: 0 };
    let turns = 0;
    while (ledger.submitted < jobs && ledger.faults.length === 0) {
      const free = Math.floor(random() * (OUTSTANDING - ledger.outstanding));
      for (let i = 0; i < free; i++)
        submitAny({ ...this.#arenas[turns % this.#arenas.length]!, ledger, random, number: turns++ });
      await new Promise((resolve) => setImmediate(resolve));
      const now = performance.now();
      if (ledger.settled !== moved.settled) moved = { at: now, settled: ledger.settled };
      else if (now - moved.at > STUCK_MS) throw new Error(`nothing settles any more: ${ledger.waiting}`);
      if (ledger.settled > nextKill) {
        nextKill += KILL_EVERY_JOBS * (0.5 + random());
        this.#killOne();
      }
      if (ledger.settled > nextCheckpoint) {
        nextCheckpoint += (jobs * (1 - WARM_UP)) / CHECKPOINTS;
        await this.#checkpoint();
      }
      if (now - said > SAY_EVERY_MS) {
        said = now;
        const { rss } = process.memoryUsage();
        log(
          `${ledger.settled} of ${jobs} jobs settled, ${ledger.outstanding} under way, ${this.#workers.size} threads, rss ${(rss / 2 ** 20).toFixed(0)} MB`,
        );
      }
    }
  }

  /** Ends a thread between any two instructions. */
  #killOne(): void {
    const workers = [...this.#workers];
    const victim = workers[Math.floor(this.#random() * workers.length)];
    if (victim === undefined) return;
    this.#killed++;
    // It is not known whose thread it is.
    for (const { kills } of this.#arenas) kills.begun++;
    const over = (): void => {
      for (const { kills } of this.#arenas) kills.over++;
    };
    victim.once("exit", () => setTimeout(over, 2000).unref());
    void victim.terminate();
  }

  /** Waits until all jobs have settled. */
  async #settled(): Promise<void> {
    const end = performance.now() + STUCK_MS;
    while (this.ledger.outstanding > 0) {
      if (performance.now() > end) throw new Error(`these never settle: ${this.ledger.waiting}`);
      await sleep(5);
    }
  }

  async #checkpoint(): Promise<void> {
    await this.#settled();
    for (let i = 0; i < 3; i++) {
      await sleep(20);
      globalThis.gc?.();
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    const mb = 2 ** 20;
    this.#memory.push({
      jobs: this.ledger.settled,
      rssMb: rss / mb,
      heapMb: heapUsed / mb,
      outsideMb: external / mb,
    });
    if (this.#workers.size > 2 * this.#mostThreads)
      this.ledger.fault(`${this.#workers.size} threads are alive, of at most ${this.#mostThreads}`);
  }

  #checkCounts({ pool, kills, ticks }: Arena): void {
    const { submitted, completed, failed, canceled, crashed, queued } = pool.stats();
    const over = completed + failed + canceled + crashed;
    // Jobs of a job whose thread was ended have nobody left whom they could tell.
    if (submitted < over || (kills.begun === 0 && submitted !== over))
      this.ledger.fault(`stats: ${submitted} submitted, ${over} over: ${JSON.stringify(pool.stats())}`);
    if (Object.values(queued).some((count) => count !== 0))
      this.ledger.fault(`stats: queued ${JSON.stringify(queued)}`);
    const ran = ticks.counter[0]!;
    if (ran < ticks.atLeast || ran > ticks.atMost)
      this.ledger.fault(`jobs that count ran ${ran} times, not ${ticks.atLeast} to ${ticks.atMost}`);
  }

  async #threadsGone(): Promise<void> {
    const end = performance.now() + 30_000;
    while (this.#workers.size > 0) {
      if (performance.now() > end)
        return this.ledger.fault(`${this.#workers.size} threads are left after close`);
      await sleep(5);
    }
  }

  /** The last third against the first, after the warm-up. */
  #checkMemory(): void {
    const third = Math.floor(this.#memory.length / 3);
    if (third < 2) return;
    const first = this.#memory.slice(0, third);
    const last = this.#memory.slice(-third);
    for (const [name, share, slackMb] of [
      ["rssMb", 1.15, 64],
      ["heapMb", 1.15, 6],
      ["outsideMb", 1.15, 32],
    ] as const) {
      const before = Math.max(...first.map((memory) => memory[name]));
      const after = Math.min(...last.map((memory) => memory[name]));
      if (after > before * share + slackMb)
        this.ledger.fault(
          `memory is not flat: ${name} ${before.toFixed(1)} before, ${after.toFixed(1)} after`,
        );
    }
  }
}

/** What becomes of the jobs of a trial: how often each has settled, and how often it has run. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import type { Cluster, ClusterRunOptions } from "@skein/cluster";
import type * as Jobs from "./trial.jobs.ts";

const jobsUrl = new URL("./trial.jobs.ts", import.meta.url);
const ENDS = ["skein:job:end", "skein:job:error", "skein:job:cancel"];

export interface Counts {
  readonly submitted: number;
  /** Never settled. */
  readonly lost: number;
  readonly rejected: number;
  readonly settledTwice: number;
  readonly ranTwice: number;
  readonly neverRan: number;
}

export class Tally implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "skein-trial-"));
  readonly #log = join(this.#folder, "runs");
  readonly #tasks: Promise<void>[] = [];
  #ends = 0;
  #settled = 0;
  #rejected = 0;
  readonly failures = new Map<string, number>();

  constructor() {
    appendFileSync(this.#log, "");
    for (const name of ENDS) subscribe(name, this.#onEnd);
  }

  readonly #onEnd = (): void => {
    this.#ends++;
  };

  get underWay(): number {
    return this.#tasks.length - this.#settled;
  }

  submit(cluster: Cluster, ms: number, options?: ClusterRunOptions): void {
    const id = this.#tasks.length;
    const jobs = cluster.module<typeof Jobs>(jobsUrl);
    const over = (error?: unknown): void => {
      this.#settled++;
      if (error === undefined) return;
      this.#rejected++;
      const text = error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
      this.failures.set(text, (this.failures.get(text) ?? 0) + 1);
    };
    const task = cluster.run(jobs.work, [this.#log, id, ms], options);
    this.#tasks.push(
      Promise.resolve(task).then((value) => over(value === id ? undefined : `it gave ${value}`), over),
    );
  }

  /** @returns what was seen until all have settled, or the time was over. */
  async counts(limitMs: number): Promise<Counts> {
    await Promise.race([
      Promise.all(this.#tasks),
      new Promise((resolve) => setTimeout(resolve, limitMs).unref()),
    ]);
    const runs = new Map<string, number>();
    for (const id of readFileSync(this.#log, "utf8").split("\n").slice(0, -1))
      runs.set(id, (runs.get(id) ?? 0) + 1);
    return {
      submitted: this.#tasks.length,
      lost: this.underWay,
      rejected: this.#rejected,
      settledTwice: Math.max(0, this.#ends - this.#settled),
      ranTwice: [...runs.values()].filter((count) => count > 1).length,
      neverRan: this.#tasks.length - runs.size,
    };
  }

  [Symbol.dispose](): void {
    for (const name of ENDS) unsubscribe(name, this.#onEnd);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export const trialModules: Readonly<Record<string, string>> = { trial: jobsUrl.href };

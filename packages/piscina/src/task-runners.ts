/** The jobs that run tasks, task-runner.ts: one for each file and name of a handler, so that tasks need not carry those. */
import { pathToFileURL, URL } from "node:url";
import type { ThreadPool } from "@skein/pool";
import { JobSender, showJobsAs } from "@skein/pool/engine";

export type Runner = JobSender<[task: unknown]>;

interface RunnerModule {
  runTask(task: unknown): unknown;
}

interface Runners {
  readonly filename: string;
  readonly name: string;
  readonly sharing: Runner;
  /** The same for tasks that have a thread to themselves, which ends when they are cancelled. */
  readonly alone: Runner;
}

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

export class TaskRunners {
  readonly #pool: ThreadPool;
  /** By the URL of their module. */
  readonly #known = new Map<string, Runners>();
  /** Most tasks are of the same as the one before. */
  #last: Runners | null = null;

  constructor(pool: ThreadPool) {
    this.#pool = pool;
  }

  of(filename: string, name: string, isAlone: boolean): Runner {
    let runners = this.#last;
    if (runners === null || runners.filename !== filename || runners.name !== name)
      this.#last = runners = this.#find(filename, name);
    return isAlone ? runners.alone : runners.sharing;
  }

  #find(filename: string, name: string): Runners {
    const { href } = runnerUrl(filename, name);
    let runners = this.#known.get(href);
    if (runners === undefined) {
      showJobsAs(href, { url: pathToFileURL(filename).href, name });
      const { runTask } = this.#pool.module<RunnerModule>(href);
      runners = {
        filename,
        name,
        sharing: new JobSender(this.#pool, runTask),
        alone: new JobSender(this.#pool, runTask, { onCancel: "terminate", graceMs: 0 }),
      };
      this.#known.set(href, runners);
    }
    return runners;
  }
}

export function runnerUrl(filename: string, name: string): URL {
  const url = new URL(`./task-runner.${extension}`, import.meta.url);
  url.searchParams.set("file", filename);
  url.searchParams.set("name", name);
  return url;
}

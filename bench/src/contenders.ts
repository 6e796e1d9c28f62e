/** The pools that are compared, each ready to run the trivial job. */
import { AsyncLocal } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import { Piscina } from "piscina";
import type * as EchoJobs from "./echo.jobs.ts";

export interface Contender {
  readonly name: string;
  /** Its burst: slow contenders get fewer jobs, the rate is per second. */
  readonly burstJobs: number;
  /** Enters what surrounds the calls. */
  around<R>(run: () => R): R;
  echo(value: number): PromiseLike<number>;
  close(): PromiseLike<void>;
}

const jobs = new URL("./echo.jobs.ts", import.meta.url);
const requestId = new AsyncLocal<string>({ name: "bench.request", flow: "thread" });
const tenant = new AsyncLocal<{ id: number; plan: string }>({ name: "bench.tenant", flow: "thread" });

export function skein(threads: number, burstJobs: number, context: boolean): Contender {
  const pool = new ThreadPool({ maxThreads: threads });
  const { echo } = pool.module<typeof EchoJobs>(jobs);
  return {
    name: context ? "skein, context flows" : "skein",
    burstJobs,
    around: context ? inContext : (run) => run(),
    echo,
    close: () => pool.close(),
  };
}

/** A context that a job carries: entered once for a whole measurement, as a request handler does. */
function inContext<R>(run: () => R): R {
  return requestId.run("7f3b4a52-1d1e-4c55-9f1f-0d9a1f3f5d11", () => tenant.run({ id: 7, plan: "pro" }, run));
}

export function piscina(threads: number, inFlight: number, burstJobs: number): Contender {
  const pool = new Piscina({
    filename: jobs.href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: inFlight,
  });
  return {
    name: inFlight === 1 ? "piscina, default" : `piscina, ${inFlight} in flight`,
    burstJobs,
    around: (run) => run(),
    echo: (value) => pool.run(value) as Promise<number>,
    close: () => pool.destroy(),
  };
}

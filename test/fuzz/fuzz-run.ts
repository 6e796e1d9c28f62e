/** Random values, errors, contexts and options, there and back on every engine, while threads die. */
import type { Worker } from "node:worker_threads";
import { type JobEngine, type JobModule, type RunOptions, stream, ThreadPool } from "@skein/pool";
import * as fc from "fast-check";
import { engines } from "../engines/engines.ts";
import { type FuzzCase, fuzzCase } from "./cases.ts";
import * as Jobs from "./fuzz.jobs.ts";
import { knownFaults } from "./known-faults.ts";
import { builtProblem, thrownProblem, valueProblem } from "./oracle.ts";

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  /** Of an earlier failure, to run just that. */
  readonly path?: string | undefined;
  /** One of `engineNames`: only there, and nobody ends its threads. @default two ThreadPools, whose threads die now and then */
  readonly engine?: string | undefined;
  readonly log: (line: string) => void;
}

export interface FuzzReport {
  readonly failure: string | null;
  readonly cases: number;
  readonly crashed: number;
  /** How many met a known fault. */
  readonly known: number;
}

/** At most so many cases are under way at once; on average half as many. */
const TOGETHER = 32;
const SAY_EVERY_MS = 5000;
/** So long a smaller case is looked for. */
const SHRINK_MS = 30_000;
const STUCK_MS = 120_000;
const url = new URL("./fuzz.jobs.ts", import.meta.url);

export const engineNames: readonly string[] = engines.map(({ name }) => name);

function poolsOf(name: string | undefined): { engine: JobEngine; end: () => PromiseLike<void> }[] {
  if (name !== undefined) {
    const { start } = engines.find((engine) => engine.name === name)!;
    return [start(), start()];
  }
  return [new ThreadPool({ maxThreads: 1 }), new ThreadPool({ maxThreads: 2, jobsPerThread: 4 })].map(
    (engine) => ({ engine, end: () => engine.close({ timeoutMs: 20_000 }) }),
  );
}

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const workers = new Set<Worker>();
  const onWorker = (worker: Worker): void => {
    worker.once("online", () => workers.add(worker));
    worker.once("exit", () => workers.delete(worker));
  };
  process.on("worker", onWorker);
  const strays: string[] = [];
  const onStray = (reason: unknown): void => void strays.push(String((reason as Error)?.stack ?? reason));
  process.on("unhandledRejection", onStray);
  const pools = poolsOf(options.engine);
  const modules = pools.map(({ engine }) => engine.module<typeof Jobs>(url));
  let cases = 0;
  let crashed = 0;
  let known = 0;
  let failedAt = Infinity;
  let said = performance.now();

  const runOne = async (fuzzed: FuzzCase, kills: boolean): Promise<void> => {
    cases++;
    const problem = await problemOf(fuzzed, pools[fuzzed.pool]!.engine, modules[fuzzed.pool]!, () => {
      if (options.engine === undefined) for (const worker of workers) void worker.terminate();
    });
    if (problem === null) return;
    if (problem === CRASHED && kills) crashed++;
    else if (knownFaults.some(([pattern]) => pattern.test(problem))) known++;
    else {
      const failure = new Error(`${fuzzed.way}: ${problem}`);
      if (failedAt === Infinity) {
        failedAt = performance.now();
        options.log(`failed, now looking for a smaller case: ${failure.message}\n${fc.stringify(fuzzed)}`);
      }
      throw failure;
    }
  };
  const run = async (together: readonly FuzzCase[]): Promise<void> => {
    if (performance.now() - failedAt > SHRINK_MS) return;
    if (performance.now() - said > SAY_EVERY_MS) {
      said = performance.now();
      options.log(`${cases} of ${options.cases} cases, ${crashed} ended with their thread`);
    }
    const kills = together.some((fuzzed) => fuzzed.kills);
    await Promise.all(together.map((fuzzed) => runOne(fuzzed, kills)));
    if (strays.length > 0) throw new Error(`unhandled rejection: ${strays.splice(0).join("\n")}`);
  };

  const together = fc.array(fuzzCase, { minLength: 1, maxLength: TOGETHER, size: "max" });
  const { failed, counterexamplePath, seed, errorInstance, counterexample } = await fc.check(
    fc.asyncProperty(together, run),
    {
      numRuns: Math.ceil((options.cases / TOGETHER) * 2),
      seed: options.seed,
      ...(options.path === undefined ? {} : { path: options.path }),
    },
  );
  await Promise.all(pools.map(({ end }) => end()));
  process.off("worker", onWorker);
  process.off("unhandledRejection", onStray);
  if (!failed) return { failure: null, cases, crashed, known };
  const failure = `${String((errorInstance as Error | null)?.message)}\n--seed ${seed} --path ${counterexamplePath}\n${fc.stringify(counterexample)}`;
  return { failure, cases, crashed, known };
}

const CRASHED = "its thread ended, and nobody had ended it";

/** Without what the engine cannot do. */
function possible(asked: RunOptions, { capabilities }: JobEngine): RunOptions {
  const { priority, onCancel, exclusive, affinity, runTimeoutMs, ...options } = asked;
  return {
    ...options,
    exclusive: capabilities.exclusive ? exclusive : undefined,
    affinity: capabilities.placement ? affinity : undefined,
    runTimeoutMs: capabilities.runTimeouts ? runTimeoutMs : undefined,
    priority: capabilities.priorities ? priority : undefined,
    onCancel: capabilities.terminate ? onCancel : undefined,
  };
}

/** @returns what is wrong, CRASHED when its thread died, or null. */
async function problemOf(
  fuzzed: FuzzCase,
  engine: JobEngine,
  jobs: JobModule<typeof Jobs>,
  kill: () => void,
): Promise<string | null> {
  const { way, value, plan } = fuzzed;
  const options = possible(fuzzed.options, engine);
  const submit = (): PromiseLike<unknown> => {
    if (way === "throwBuilt" || way === "throwBuiltNested") return engine.run(jobs[way], [plan], options);
    if (way === "echoStream") {
      if (!engine.capabilities.streamArguments) return engine.run(jobs.echo, [value], options);
      return firstOf(engine.run(jobs.echoStream, [stream([value])], options));
    }
    if (way === "moveBack") {
      const bytes = new Uint8Array(20_000).fill(plan.message.length);
      return engine.run(jobs.moveBack, [bytes], { ...options, transfer: [bytes.buffer] });
    }
    return engine.run(jobs[way], [value], options);
  };
  const task = Jobs.local.run(fuzzed.local, () => Jobs.wire.run(fuzzed.wire, submit));
  if (fuzzed.kills) kill();
  const [outcome, arrived] = await settlement(task);
  if (outcome === "nothing") return "never settled";
  if ((arrived as { code?: unknown } | null)?.code === "ERR_SKEIN_THREAD_CRASHED") return CRASHED;
  switch (way) {
    case "echo":
    case "echoLater":
    case "echoStream":
    case "echoNested": {
      if (outcome === "rejected") return `rejected with ${String((arrived as Error)?.stack ?? arrived)}`;
      const { value: back, local, wire } = arrived as Jobs.Echo;
      const flows = options.flowContext !== false;
      return (
        valueProblem(back, value) ??
        labelled("thread context", valueProblem(local, flows ? fuzzed.local : undefined)) ??
        labelled("wire context", valueProblem(wire, flows ? fuzzed.wire : undefined))
      );
    }
    case "moveBack": {
      if (outcome === "rejected") return `rejected with ${String(arrived)}`;
      return valueProblem(arrived, new Uint8Array(20_000).fill(plan.message.length));
    }
    case "throwBuilt":
    case "throwBuiltNested":
      return outcome === "resolved" ? "resolved" : builtProblem(arrived, plan);
    case "throwIt":
    case "throwLater":
    case "throwNested":
    default:
      return outcome === "resolved" ? "resolved" : thrownProblem(arrived, value);
  }
}

async function firstOf(call: PromiseLike<AsyncIterable<unknown>>): Promise<unknown> {
  for await (const item of await call) return item;
  throw new Error("the stream gave nothing");
}

function labelled(label: string, problem: string | null): string | null {
  return problem === null ? null : `${label}: ${problem}`;
}

function settlement(
  task: PromiseLike<unknown>,
): Promise<readonly [outcome: "resolved" | "rejected" | "nothing", value: unknown]> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve(["nothing", undefined]), STUCK_MS);
    const settle = (outcome: "resolved" | "rejected") => (value: unknown) => {
      clearTimeout(limit);
      // In an array, so that a value with a `then` is not taken for a promise.
      resolve([outcome, value]);
    };
    task.then(settle("resolved"), settle("rejected"));
  });
}

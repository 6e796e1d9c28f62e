/** Programs that call a job many times at once, each of them with and without what its context costs. */
import type { ThreadPool } from "@skein/pool";
import { flowStorages, locals, storages } from "./carried.ts";
import type * as Echo from "./echo.jobs.ts";

type Call = (value: number) => PromiseLike<number>;

/** One side of a ratio. */
export interface Way {
  readonly name: string;
  readonly jobs: number;
  /** How many storages have a `flow` meanwhile. */
  readonly flows: number;
  /** One call, `index` of so many. */
  readonly call: (call: Call, index: number) => PromiseLike<number>;
  readonly flowContext: boolean;
}

export interface Comparison {
  readonly what: string;
  readonly costly: Way;
  readonly without: Way;
  /** How many times as long it may take. */
  readonly goal: number;
}

type Scoped = { run<R>(value: string, fn: () => R): R };

const SHORT = 10;
const LONG = 1024;

/** Made before: a program has its values. So many that no two contexts of a round are the same. */
const texts = new Map(
  [
    [SHORT, 20_011],
    [LONG, 4_001],
  ].map(([chars, count]) => [chars, Array.from({ length: count! }, (_, i) => numbered(i, chars!))]),
);

/** Another text for each number, in one piece, as texts are that come in messages. */
function numbered(number: number, chars: number): string {
  return Buffer.from(String(number).padStart(10, "0").padEnd(chars, "x")).toString("latin1");
}

function within(scopes: readonly Scoped[], index: number, chars: number, call: () => PromiseLike<number>) {
  let inner = call;
  for (const [i, scope] of scopes.entries()) {
    const next = inner;
    const own = texts.get(chars)!;
    const value = own[(scopes.length * index + i) % own.length]!;
    inner = () => scope.run(value, next);
  }
  return inner();
}

/** The same calls, twice: with what flows, and without. */
function perCall(
  what: string,
  scopes: readonly Scoped[],
  chars: number,
  jobs: number,
  goal: number,
  flows: number,
): Comparison {
  const call: Way["call"] = (run, index) => within(scopes, index, chars, () => run(index));
  return {
    what,
    costly: { name: what, jobs, flows, call, flowContext: true },
    without: { name: `${what}, without`, jobs, flows: 0, call, flowContext: flows > 0 },
    goal,
  };
}

export function comparisons(jobs: number): Comparison[] {
  const plain: Way = { name: "no context", jobs, flows: 0, call: (run, i) => run(i), flowContext: true };
  const same = "0123456789";
  const few = Math.ceil(jobs / 5);
  const one = storages.slice(0, 1);
  const oneLocal = locals.slice(0, 1);
  return [
    {
      what: "flow(): one store of 10 B for all calls",
      costly: { ...plain, name: "one store", flows: 1, call: (run, i) => one[0]!.run(same, () => run(i)) },
      without: { ...plain, name: "one store, without", call: (run, i) => one[0]!.run(same, () => run(i)) },
      goal: 1.05,
    },
    perCall("flow(): another store of 10 B for each call", one, SHORT, jobs, 1.3, 1),
    perCall("flow(): five other stores of 1 KB for each call", storages, LONG, few, 2, 5),
    perCall("AsyncLocal: another value of 10 B for each call", oneLocal, SHORT, jobs, 1.3, 0),
    perCall("AsyncLocal: five other values of 1 KB for each call", locals, LONG, few, 2, 0),
  ];
}

/** Of one call, in nanoseconds. */
export interface Cost {
  readonly time: number;
  /** Of all threads of the process. It says more than the time does on a machine that others use. */
  readonly cpu: number;
}

/** All calls at once, twice. The first time does not count: a program registers its flows once, and V8 compiles for them then. */
export async function measure(pool: ThreadPool, way: Way): Promise<Cost> {
  using _ = flowStorages(way.flows);
  const echo = pool.module<typeof Echo>(new URL("./echo.jobs.ts", import.meta.url), {
    flowContext: way.flowContext,
  }).echo;
  await callAll(echo, way);
  const startedCpu = process.cpuUsage();
  const started = performance.now();
  await callAll(echo, way);
  const took = performance.now() - started;
  const { user, system } = process.cpuUsage(startedCpu);
  return { time: (took * 1e6) / way.jobs, cpu: ((user + system) * 1000) / way.jobs };
}

async function callAll(call: Call, way: Way): Promise<void> {
  const calls: PromiseLike<number>[] = [];
  for (let i = 0; i < way.jobs; i++) calls.push(way.call(call, i));
  const results = await Promise.all(calls);
  if (results.some((result, i) => result !== i)) throw new Error(`${way.name}: a wrong result`);
}

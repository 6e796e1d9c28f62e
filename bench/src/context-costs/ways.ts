/** Programs that call a job many times at once, with and without a context that flows. */
import type { ThreadPool } from "@skein/pool";
import { locals, storages } from "./carried.ts";
import type * as Echo from "./echo.jobs.ts";

type Call = (value: number) => PromiseLike<number>;

/** The same calls, of which the context flows or does not. */
export interface Comparison {
  readonly what: string;
  readonly jobs: number;
  /** How many storages have a `flow`: from the start, as in a program. */
  readonly flows: number;
  /** One call, `index` of so many. */
  readonly call: (call: Call, index: number) => PromiseLike<number>;
  /** How many times as long it may take. */
  readonly goal: number;
}

type Scoped = { run<R>(value: string, fn: () => R): R };

const JOBS = 20_000;
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

function perCall(scopes: readonly Scoped[], chars: number): Comparison["call"] {
  return (call, index) => within(scopes, index, chars, () => call(index));
}

const same = "0123456789";
const few = Math.ceil(JOBS / 5);
const one = storages.slice(0, 1);
const oneLocal = locals.slice(0, 1);
export const comparisons: readonly Comparison[] = [
  {
    what: "flow(): one store of 10 B for all calls",
    jobs: JOBS,
    flows: 1,
    call: (call, index) => one[0]!.run(same, () => call(index)),
    goal: 1.05,
  },
  {
    what: "flow(): another store of 10 B for each call",
    jobs: JOBS,
    flows: 1,
    call: perCall(one, SHORT),
    goal: 1.3,
  },
  {
    what: "flow(): five other stores of 1 KB for each call",
    jobs: few,
    flows: 5,
    call: perCall(storages, LONG),
    goal: 2,
  },
  {
    what: "AsyncLocal: another value of 10 B for each call",
    jobs: JOBS,
    flows: 0,
    call: perCall(oneLocal, SHORT),
    goal: 1.3,
  },
  {
    what: "AsyncLocal: five other values of 1 KB for each call",
    jobs: few,
    flows: 0,
    call: perCall(locals, LONG),
    goal: 2,
  },
];

/** Of one call, in nanoseconds. */
export interface Cost {
  readonly time: number;
  /** Of all threads of the process. It says more than the time does on a machine that others use. */
  readonly cpu: number;
}

/** All calls at once, twice: the first time does not count. @throws Error if one of them gives a wrong result. */
export async function measure(
  pool: ThreadPool,
  { what, jobs, call }: Comparison,
  flowContext: boolean,
): Promise<Cost> {
  const { echo } = pool.module<typeof Echo>(new URL("./echo.jobs.ts", import.meta.url), { flowContext });
  const callAll = async (): Promise<void> => {
    const calls: PromiseLike<number>[] = [];
    for (let i = 0; i < jobs; i++) calls.push(call(echo, i));
    const results = await Promise.all(calls);
    if (results.some((result, i) => result !== i)) throw new Error(`${what}: a wrong result`);
  };
  await callAll();
  const startedCpu = process.cpuUsage();
  const started = performance.now();
  await callAll();
  const took = performance.now() - started;
  const { user, system } = process.cpuUsage(startedCpu);
  return { time: (took * 1e6) / jobs, cpu: ((user + system) * 1000) / jobs };
}

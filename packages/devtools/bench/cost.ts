/**
 * What a window costs the program that it shows: jobs a second, and CPU time of the main thread for each job, without a window (`absent`),
 * with one that nobody looks at (`closed`), and with one that somebody does (`open`). One process, one pool; the three states take turns, so that
 * whatever else changes on the machine changes for all of them. A trial, no test: it needs a quiet machine. The viewer has a process of
 * its own. Exit code 1 when the median of the rounds says that looking costs more than one job in a hundred.
 *
 *   pnpm --filter @skein/devtools cost [--rounds 20] [--phase-ms 1000] [--viewers 1]
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { ThreadPool } from "@skein/pool";
import { type Devtools, serveDevtools } from "@skein/devtools";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    "phase-ms": { type: "string", default: "1000" },
    viewers: { type: "string", default: "1" },
  },
});
const rounds = Number(values.rounds);
const phaseMs = Number(values["phase-ms"]);
const viewers = Number(values.viewers);

const MOST = 0.01;
/** So much of a phase passes before it is measured: the window finds out how many jobs there are. */
const WARM_UP = 0.5;
const STATES = ["absent", "closed", "open"] as const;
type State = (typeof STATES)[number];

/** Jobs, so many of which are under way at any time. */
interface Load {
  readonly name: string;
  readonly atOnce: number;
  readonly job: () => void;
}

const loads: readonly Load[] = [
  { name: "trivial jobs, the main thread is the limit", atOnce: 1000, job() {} },
  {
    name: "jobs of 100 µs, the thread is the limit",
    atOnce: 32,
    job() {
      for (const end = performance.now() + 0.1; performance.now() < end;);
    },
  },
];

interface Measured {
  readonly perSecond: number;
  readonly cpuUsPerJob: number;
}

await using pool = new ThreadPool({ name: "cost", minThreads: 1, maxThreads: 1 });
const viewer = fork(new URL("viewer.ts", import.meta.url));
let devtools: Devtools | null = null;

async function enter(state: State): Promise<void> {
  await tell(viewer, { url: null, viewers });
  if (state === "absent") {
    await devtools?.close();
    devtools = null;
    return;
  }
  devtools ??= await serveDevtools(pool, { port: 0 });
  while (devtools.clients > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  if (state === "open") await tell(viewer, { url: devtools.url, viewers });
}

async function tell(child: ChildProcess, message: object): Promise<void> {
  const told = once(child, "message");
  child.send(message);
  await told;
}

/** As many as there is time for. */
async function run({ atOnce, job }: Load, ms: number): Promise<Measured> {
  let jobs = 0;
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  while (performance.now() - start < ms) {
    const tasks = Array.from({ length: atOnce }, () => pool.run(job));
    for (const task of tasks) await task;
    jobs += atOnce;
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.threadCpuUsage(cpu);
  return { perSecond: jobs / seconds, cpuUsPerJob: (user + system) / jobs };
}

function quartiles(ratios: readonly number[]): { readonly text: string; readonly median: number } {
  const ordered = ratios.toSorted((a, b) => a - b);
  const at = (part: number): number => ordered[Math.round(part * (ordered.length - 1))]!;
  const text = [0.5, 0.25, 0.75].map((part) => `${(100 * at(part)).toFixed(2)} %`);
  return { text: `${text[0]} (${text[1]} to ${text[2]})`, median: at(0.5) };
}

for (const load of loads) {
  const measured: Record<State, Measured[]> = { absent: [], closed: [], open: [] };
  await run(load, phaseMs);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < STATES.length; turn++) {
      const state = STATES[(round + turn) % STATES.length]!;
      await enter(state);
      await run(load, WARM_UP * phaseMs);
      measured[state].push(await run(load, phaseMs));
    }
  }
  const ratios = (a: State, b: State, of: (one: Measured) => number): number[] =>
    measured[a].map((one, i) => of(one) / of(measured[b][i]!));
  console.log(`${load.name}: medians of ${rounds} rounds (quartiles)`);
  for (const [a, b] of [
    ["closed", "absent"],
    ["open", "closed"],
  ] as const) {
    const perSecond = quartiles(ratios(a, b, (one) => one.perSecond));
    const cpu = quartiles(ratios(a, b, (one) => one.cpuUsPerJob));
    console.log(`  ${a} to ${b}: jobs a second ${perSecond.text}, main thread's CPU for each ${cpu.text}`);
    if (perSecond.median < 1 - MOST) process.exitCode = 1;
  }
}
await enter("absent");
viewer.disconnect();

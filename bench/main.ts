/**
 * `pnpm bench`: the pool next to piscina, trivial jobs, from the built packages. Contenders take turns (A B C A B C …), so that
 * a slow minute of the machine hits them all; each number is the median of the rounds, with its coefficient of variation.
 *
 *   node bench/main.ts [--threads 1] [--rounds 7] [--jobs 100000]
 */
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { type Contender, piscina, skein } from "./src/contenders.ts";
import { quantile, type Summary, summarize } from "./src/statistics.ts";

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "1" },
    rounds: { type: "string", default: "7" },
    jobs: { type: "string", default: "100000" },
  },
});
const threads = Number(values.threads);
const rounds = Number(values.rounds);
const jobs = Number(values.jobs);
const ROUND_TRIPS = 2000;

interface Result {
  readonly contender: Contender;
  readonly perSecond: number[];
  readonly roundTripUs: number[];
  readonly roundTripP99Us: number[];
}

const contenders = [
  skein(threads, jobs, false),
  skein(threads, jobs, true),
  piscina(threads, 1, jobs / 5),
  piscina(threads, 8, jobs),
  piscina(threads, 64, jobs),
  piscina(threads, 512, jobs),
];
const results = contenders.map((contender): Result => ({
  contender,
  perSecond: [],
  roundTripUs: [],
  roundTripP99Us: [],
}));

console.log(
  `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"}), ` +
    `${threads} worker thread(s), bursts of ${jobs} jobs (piscina's default: ${jobs / 5}), ${rounds} rounds`,
);
for (let round = -1; round < rounds; round++) {
  process.stderr.write(`\rround ${round + 1} of ${rounds} `);
  for (const result of results) {
    const { contender } = result;
    const perSecond = await contender.around(() => burst(contender));
    const trips = await contender.around(() => roundTrips(contender));
    // The first round warms up.
    if (round < 0) continue;
    result.perSecond.push(perSecond);
    result.roundTripUs.push(quantile(trips, 0.5));
    result.roundTripP99Us.push(quantile(trips, 0.99));
  }
}
process.stderr.write("\r");
report();
for (const contender of contenders) await contender.close();

async function burst(contender: Contender): Promise<number> {
  const started = performance.now();
  const { burstJobs } = contender;
  const tasks = Array.from({ length: burstJobs }, (_, i) => contender.echo(i));
  await Promise.all(tasks);
  return (burstJobs / (performance.now() - started)) * 1000;
}

async function roundTrips(contender: Contender): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const started = performance.now();
    await contender.echo(i);
    samples.push((performance.now() - started) * 1000);
  }
  return samples;
}

function report(): void {
  const width = 24;
  console.log(
    `${"".padEnd(width)}${"jobs/s".padStart(20)}${"round trip p50".padStart(22)}${"p99".padStart(20)}`,
  );
  for (const { contender, perSecond, roundTripUs, roundTripP99Us } of results) {
    console.log(
      contender.name.padEnd(width) +
        cell(summarize(perSecond), (x) => Math.round(x).toLocaleString("en")).padStart(20) +
        cell(summarize(roundTripUs), (x) => `${x.toFixed(1)} us`).padStart(22) +
        cell(summarize(roundTripP99Us), (x) => `${x.toFixed(1)} us`).padStart(20),
    );
  }
  const [own, withContext, ...peers] = results.map(({ perSecond }) => summarize(perSecond).median);
  const [ownTrip, , ...peerTrips] = results.map(({ roundTripUs }) => summarize(roundTripUs).median);
  console.log(
    `\nskein is ${(own! / Math.max(...peers)).toFixed(1)}x the best piscina and ${(own! / peers[0]!).toFixed(1)}x its default in a burst; ` +
      `its round trip is ${(ownTrip! / Math.min(...peerTrips)).toFixed(2)}x the shortest of piscina's. ` +
      `Context costs ${((1 - withContext! / own!) * 100).toFixed(1)} % of the throughput.`,
  );
}

function cell({ median, variation }: Summary, format: (value: number) => string): string {
  return `${format(median)} ±${Math.round(variation * 100)} %`;
}

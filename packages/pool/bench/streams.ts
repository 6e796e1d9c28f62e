/**
 * Streams of jobs next to what one would write by hand on a MessagePort or with a transferred ReadableStream, on one thread. From the built
 * package.
 *
 *   pnpm build && node packages/pool/bench/streams.ts [--rounds 7] [--numbers 1000000] [--megabytes 256] [--highWaterMark 16]
 *
 * Each measurement is a process of its own, because what one way leaves on the heap is collected in the time of the next. It runs the way
 * eight times and reports the first run, in which V8 optimizes, and the last. The ways take turns, and each measurement is printed when it is
 * made. Then come the medians, and the median of the time relative to the first way, round by round.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { measureWay, sections } from "./streams.ways.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    numbers: { type: "string", default: "1000000" },
    megabytes: { type: "string", default: "256" },
    highWaterMark: { type: "string", default: "16" },
    /** In the process of one measurement. */
    way: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const amounts = {
  numbers: Number(values.numbers),
  megabytes: Number(values.megabytes),
  highWaterMark: Number(values.highWaterMark),
};

if (values.way === undefined) compare();
else console.log(JSON.stringify(await measureWay(values.way, amounts)));

function compare(): void {
  for (const [title, ways] of Object.entries(sections)) {
    console.log(`\n${title}`);
    const samples = Object.keys(ways).map((name) => ({ name, first: [] as number[], warm: [] as number[] }));
    for (let round = 1; round <= rounds; round++) {
      for (const { name, first, warm } of samples) {
        const args = [import.meta.filename, ...process.argv.slice(2), "--way", name];
        const measured = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
        first.push(measured.first);
        warm.push(measured.warm);
        console.log(
          `  round ${round}  ${name.padEnd(34)}${us(measured.first)} first ${us(measured.warm)} warm  ${measured.megabytes} MB resident`,
        );
      }
    }
    const [reference] = samples;
    for (const { name, first, warm } of samples) {
      console.log(
        `  median   ${name.padEnd(34)}${us(median(first))} first ${us(median(warm))} warm  ` +
          `${ratio(first, reference!.first)} and ${ratio(warm, reference!.warm)} of the first way`,
      );
    }
  }
}

function us(time: number): string {
  return time.toFixed(3).padStart(8);
}

/** Of the rounds. */
function ratio(times: readonly number[], reference: readonly number[]): string {
  return median(times.map((time, round) => time / reference[round]!)).toFixed(2);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/**
 * What `chunkSize` gains for items that cost nothing, from the built package.
 *
 *   pnpm build && node packages/pool/bench/map.ts [--threads 1] [--items 100000] [--rounds 5]
 */
import { parseArgs } from "node:util";
import { ThreadPool } from "@skein/pool";

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "1" },
    items: { type: "string", default: "100000" },
    rounds: { type: "string", default: "5" },
  },
});
const items = Array.from({ length: Number(values.items) }, (_, i) => i);
const chunkSizes = [1, 4, 16, 64, 256, 1024];

await using pool = new ThreadPool({ maxThreads: Number(values.threads) });
const samples = chunkSizes.map((): { wall: number[]; cpu: number[] } => ({ wall: [], cpu: [] }));
for (let round = -1; round < Number(values.rounds); round++) {
  for (const [i, chunkSize] of chunkSizes.entries()) {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    let count = 0;
    for await (const _ of pool.map((n: number) => n + 1, items, { chunkSize })) count++;
    if (count !== items.length) throw new Error(`${count} results`);
    // The first round warms up.
    if (round < 0) continue;
    const { user, system } = process.cpuUsage(cpu);
    samples[i]!.wall.push(((performance.now() - startedAt) * 1e6) / count);
    samples[i]!.cpu.push(((user + system) * 1000) / count);
  }
}
for (const [i, { wall, cpu }] of samples.entries()) {
  console.log(
    `chunkSize ${String(chunkSizes[i]).padStart(4)}: ${median(wall)} ns an item, ${median(cpu)} ns of CPU time on all threads`,
  );
}

function median(samplesNs: readonly number[]): string {
  const sorted = samplesNs.toSorted((a, b) => a - b);
  return Math.round(sorted[sorted.length >> 1]!).toLocaleString("en");
}

/**
 * The service alone, with settings of the pools that may become the tuned ones. Measures the built packages.
 *
 *     node bench/src/service/try.ts [--rounds 3] [--seconds 3] [--rate 400] [--only text,text]
 */
import { parseArgs } from "node:util";
import { candidates } from "./candidates.ts";
import { Trial } from "./trial.ts";
import { calibrate } from "./workload.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    rate: { type: "string", default: "400" },
    connections: { type: "string", default: "64" },
    only: { type: "string", default: "" },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const workload = calibrate(20);
console.log(`${workload.steps} steps for 20 ms of CPU`);

const rows = new Map<string, Record<string, number>[]>();
const trials = await Promise.all(
  candidates
    .filter(({ name }) => values.only.split(",").some((text) => name.includes(text)))
    .map(async (variant) => ({ variant, trial: await Trial.start(variant, workload) })),
);
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const { variant, trial } of trials) {
    const steady = await trial.constantRate({
      seed: round,
      ratePerSecond: Number(values.rate),
      seconds,
      connections,
    });
    const full = await trial.saturation({ requests: 1000, connections: 32 });
    // The first round warms up.
    if (round === 0) continue;
    const before = rows.get(variant.name) ?? [];
    rows.set(variant.name, [...before, { requestsPerSecond: full["requestsPerSecond"] ?? 0, ...steady }]);
  }
}
for (const { trial } of trials) await trial.close();

console.table(
  Object.fromEntries(
    [...rows].map(([name, samples]) => [
      name,
      Object.fromEntries(
        Object.keys(samples[0] ?? {}).map((key) => [
          key,
          round2(median(samples.map((sample) => sample[key] ?? 0))),
        ]),
      ),
    ]),
  ),
);

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

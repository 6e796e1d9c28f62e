/**
 * Where the lanes of a payload cross: bytes there and back, copied (in the slot up to 192 bytes with everything, in the arena above) and moved.
 * From the built package.
 *
 *   pnpm build && node packages/pool/bench/payload-lanes.ts [--rounds 7] [--threads 1] [--overlap 1]
 *
 * Round trip: one call after the other. Throughput: as many at once as 32 MB allow, at most 64. `--overlap` is `jobsPerThread`. The lanes take
 * turns; each number is the median of the rounds, with the best of them, since the machine may be busy with other things.
 */
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { ThreadPool } from "@skein/pool";
import type * as Jobs from "./payload-lanes.jobs.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    threads: { type: "string", default: "1" },
    overlap: { type: "string", default: "1" },
  },
});
const rounds = Number(values.rounds);
const maxThreads = Number(values.threads);
const jobsPerThread = Number(values.overlap);

const KIB = 1024;
const MIB = KIB * KIB;
const SIZES = [64, 128, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB];
const BYTES_AT_ONCE = 32 * MIB;
const CALLS_AT_ONCE = 64;
/** Of a round: so many bytes, but neither more nor fewer calls than these. */
const BYTES_PER_ROUND = 64 * MIB;
const MAX_CALLS = 2000;
const MIN_CALLS = 3;

type Bytes = Uint8Array<ArrayBuffer>;

await using pool = new ThreadPool({ minThreads: maxThreads, maxThreads, jobsPerThread });
const jobs = pool.module<typeof Jobs>(new URL("./payload-lanes.jobs.ts", import.meta.url));
const lanes: Record<string, (bytes: Bytes) => PromiseLike<Bytes>> = {
  copied: (bytes) => jobs.echo(bytes),
  moved: (bytes) => pool.run(jobs.echoMoved, [bytes], { transfer: [bytes.buffer] }),
};

console.log(
  `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"}), ` +
    `${maxThreads} thread(s), jobsPerThread ${jobsPerThread}, ${rounds} rounds; us per call: median (best)\n`,
);
console.log(
  "| bytes | round trip, copied | round trip, moved | many at once, copied | many at once, moved |",
);
console.log(
  "| ----: | -----------------: | ----------------: | -------------------: | ------------------: |",
);
for (const size of SIZES) {
  const atOnce = Math.max(1, Math.min(CALLS_AT_ONCE, Math.floor(BYTES_AT_ONCE / size)));
  const calls = Math.max(MIN_CALLS, Math.min(MAX_CALLS, Math.floor(BYTES_PER_ROUND / size)));
  const cells: string[] = [];
  for (const width of [1, atOnce]) {
    const samples = new Map(Object.keys(lanes).map((name) => [name, [] as number[]]));
    // The first round is not optimized yet.
    for (let round = -1; round < rounds; round++) {
      for (const [name, call] of Object.entries(lanes)) {
        const us = await usPerCall(call, size, width, Math.max(calls, width));
        if (round >= 0) samples.get(name)!.push(us);
      }
    }
    for (const us of samples.values()) cells.push(summary(us));
  }
  console.log(`| ${sizeText(size)} | ${cells.join(" | ")} |`);
}

async function usPerCall(
  call: (bytes: Bytes) => PromiseLike<Bytes>,
  size: number,
  width: number,
  calls: number,
): Promise<number> {
  const buffers = Array.from({ length: width }, () => new Uint8Array(size).fill(7));
  let left = calls;
  const caller = async (first: Bytes): Promise<void> => {
    for (let bytes = first; left-- > 0;) {
      bytes = await call(bytes);
      if (bytes.length !== size || bytes[size - 1] !== 7) throw new Error("the bytes came back wrong");
    }
  };
  const startedAt = performance.now();
  await Promise.all(buffers.map(caller));
  return ((performance.now() - startedAt) * 1000) / calls;
}

function summary(us: readonly number[]): string {
  const sorted = us.toSorted((a, b) => a - b);
  return `${short(sorted[sorted.length >> 1]!)} (${short(sorted[0]!)})`;
}

function short(us: number): string {
  return us >= 100 ? us.toFixed(0) : us.toFixed(1);
}

function sizeText(bytes: number): string {
  if (bytes >= MIB) return `${bytes / MIB} MB`;
  return bytes >= KIB ? `${bytes / KIB} KB` : `${bytes} B`;
}

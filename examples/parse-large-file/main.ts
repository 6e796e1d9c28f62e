/**
 * A log file that may be larger than memory: it is read in blocks, parsed on all threads, and read no faster than it is parsed.
 */
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ThreadPool } from "@skein/pool";
import type * as Jobs from "./access-log.jobs.ts";

const folder = mkdtempSync(join(tmpdir(), "skein-log-"));
const file = join(folder, "access.log");
writeLog(file, 60_000);

const pool = new ThreadPool();
const jobs = pool.module<typeof Jobs>(new URL("./access-log.jobs.ts", import.meta.url));

let read = 0;
let mostAtOnce = 0;
let parsed = 0;

/** The file in blocks of about 64 KB, which end where a line ends. */
async function* blocksOf(path: string): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 64 * 1024 }) as AsyncIterable<Buffer>) {
    const block = Buffer.concat([rest, chunk]);
    const end = block.lastIndexOf("\n") + 1;
    rest = block.subarray(end);
    if (end === 0) continue; // a line that is longer than a block
    mostAtOnce = Math.max(mostAtOnce, ++read - parsed);
    yield block.subarray(0, end);
  }
  if (rest.length > 0) yield rest;
}

const total: Jobs.Summary = { lines: 0, bytesSent: 0, byStatus: {} };
try {
  // The order of sums does not matter, so each summary is taken as soon as it is there. While four blocks are under way nothing is read.
  const summaries = pool.map(jobs.summarize, blocksOf(file), { concurrency: 4, ordered: false });
  for await (const { lines, bytesSent, byStatus } of summaries) {
    parsed++;
    total.lines += lines;
    total.bytesSent += bytesSent;
    for (const [status, count] of Object.entries(byStatus))
      total.byStatus[status] = (total.byStatus[status] ?? 0) + count;
  }
} finally {
  await pool.close();
  rmSync(folder, { recursive: true });
}

console.log(total);
// Four under way, and the one whose summary is just being added.
console.log(`${read} blocks, never more than five in memory:`, mostAtOnce <= 5);

function writeLog(path: string, lines: number): void {
  const statuses = [200, 200, 200, 304, 404, 200, 500];
  const line = (_: unknown, i: number): string =>
    `GET /articles/${i % 1009} ${statuses[i % statuses.length]} ${(i * 7919) % 100_000}\n`;
  writeFileSync(path, Array.from({ length: lines }, line).join(""));
}

/**
 * Frames of the page while 100,000 jobs are in its window and it scrolls, in Debian's Chromium; a trial, no test: it needs a quiet machine.
 * Says how many frames a second were drawn, and how long the longest took. Exit code 1 below 60 frames, a tenth forgiven.
 *
 *   pnpm --filter @skein/devtools frames [--jobs 100000] [--seconds 5]
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ThreadPool } from "@skein/pool";
import { serve } from "../src/server/serve-devtools.ts";
import { startChromium } from "../../../test/support/chromium.ts";

const { values } = parseArgs({
  options: { jobs: { type: "string", default: "100000" }, seconds: { type: "string", default: "5" } },
});
const jobs = Number(values.jobs);
const seconds = Number(values.seconds);
/** Submitted at once, so that a look of the server finds no more than the threads keep. */
const BURST = 1000;
const FRAMES = 60;
const FORGIVEN = 0.1;

const browser = await startChromium();
if (browser === null) process.exit(1);
await using pool = new ThreadPool({ name: "frames", minThreads: 4, maxThreads: 4 });
await using devtools = await serve(
  pool,
  { port: 0 },
  { clients: 1, bytesPerClient: 64 << 20, slicesPerBatch: 1e9 },
);
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(devtools.url);
await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
await page.getByRole("combobox").selectOption("300");

for (let submitted = 0; submitted < jobs; submitted += BURST) {
  await Promise.all(Array.from({ length: Math.min(BURST, jobs - submitted) }, () => pool.run(() => 1)));
  await delay(100);
}
await page.getByText(`${jobs.toLocaleString("en-US")} jobs so far`).waitFor();
const missing = await page.getByText("events came too fast").count();
const frames = await page.evaluate(async (ms) => {
  const times: number[] = [];
  const end = performance.now() + ms;
  for (let at = performance.now(); at < end;) {
    const before = at;
    at = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    times.push(at - before);
  }
  return times;
}, seconds * 1000);
await browser.close();

const ordered = frames.slice(1).toSorted((a, b) => a - b);
const perSecond = frames.length / seconds;
const at = (part: number): string => `${ordered[Math.floor(part * (ordered.length - 1))]!.toFixed(1)} ms`;
console.log(
  `${jobs.toLocaleString("en-US")} jobs in the window${missing > 0 ? " (some events missing)" : ""}: ${perSecond.toFixed(1)} frames/s; between frames: median ${at(0.5)}, 99% under ${at(0.99)}, longest ${at(1)}`,
);
process.exitCode = perSecond < FRAMES * (1 - FORGIVEN) ? 1 : 0;

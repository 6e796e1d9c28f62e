/** An endless generator on a thread, read slowly: it is suspended, its thread does other work, and it is ended when the reader leaves. */
import { ThreadPool } from "@skein/pool";
import type { Scene } from "../scene.ts";
import type * as Jobs from "./stream.jobs.ts";

const AHEAD = 8;
const READ = 20;

export const stream: Scene = {
  title: "A stream of results",
  about:
    "The job is a generator without an end. It runs ahead of its reader by eight items, is suspended at its `yield` in shared memory, and leaves its thread to other jobs.",
  code: [new URL("stream.jobs.ts", import.meta.url).href, import.meta.url],
  async run(stage) {
    await using pool = new ThreadPool({ name: "stream", minThreads: 1, maxThreads: 1 });
    const jobs = pool.module<typeof Jobs>(new URL("./stream.jobs.ts", import.meta.url), {
      highWaterMark: AHEAD,
    });
    const counter = new Int32Array(new SharedArrayBuffer(8));
    const seen: string[] = [];
    let furthest = 0;
    let others = 0;
    const draw = (): void => {
      const made = Atomics.load(counter, 0);
      const bar = "█".repeat(seen.length) + "░".repeat(Math.max(0, made - seen.length));
      stage.draw([`read ${seen.length}, made ${made}`.padEnd(24) + stage.style("cyan", bar)]);
    };
    // tour: begin
    for await (const row of jobs.rows(counter)) {
      seen.push(row);
      others += await jobs.add(0, 1); // on the same thread
      // tour: end
      furthest = Math.max(furthest, Atomics.load(counter, 0) - seen.length);
      draw();
      await stage.pause(100);
      // tour: begin
      if (seen.length === READ) break;
    }
    // tour: end
    draw();
    stage.check(
      `${READ} rows came, in order`,
      seen.every((row, i) => row === `row ${i + 1}`) && seen.length === READ,
    );
    stage.check(`the generator was never more than ${AHEAD + 1} rows ahead`, furthest <= AHEAD + 1);
    stage.check("its only thread ran another job between any two", others === READ);
    stage.check("leaving the loop has run its finally", Atomics.load(counter, 1) === 1);
  },
};

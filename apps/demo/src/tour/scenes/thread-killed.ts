/** A thread dies in the midst of many jobs. Every job settles once all the same. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { ThreadCrashedError, ThreadPool } from "@skein/pool";
import type { ThreadMessage } from "@skein/pool";
import type { Scene } from "../scene.ts";
import type * as Jobs from "./thread-killed.jobs.ts";

const JOBS = 192;
const FATAL = 96;

export const threadKilled: Scene = {
  title: "A thread is killed, nothing is lost",
  about: `Of ${JOBS} jobs one ends its thread (✗). It may run again, so it does, on another thread; the others never notice. A job that must not run twice is told.`,
  code: [import.meta.url],
  async run(stage) {
    const died: number[] = [];
    const onExit = (message: unknown): void => {
      const { pool: name, exitCode } = message as ThreadMessage;
      if (name === "killed") died.push(exitCode ?? 0);
    };
    subscribe("skein:thread:exit", onExit);
    await using pool = new ThreadPool({ name: "killed", minThreads: 2 });
    const jobs = pool.module<typeof Jobs>(new URL("./thread-killed.jobs.ts", import.meta.url));
    const deaths = new Int32Array(new SharedArrayBuffer(4));
    const ms = stage.fast ? 0 : 15;
    const settled = Array.from({ length: JOBS }, () => 0);
    const draw = (): void => {
      const cells = settled.map((times, index) => {
        const fatal = index === FATAL && Atomics.load(deaths, 0) > 0;
        if (fatal) return stage.style(["bold", "red"], times === 0 ? "✗" : "█");
        return times === 0 ? "·" : stage.style("green", "█");
      });
      const perLine = Math.min(64, stage.width);
      stage.draw(
        Array.from({ length: Math.ceil(JOBS / perLine) }, (_, line) =>
          cells.slice(line * perLine, (line + 1) * perLine).join(""),
        ),
      );
    };
    const results = await Promise.all(
      settled.map(async (_, index) => {
        const args: Parameters<typeof Jobs.square> = [index, deaths, index === FATAL, ms];
        // tour: begin
        const result = await pool.run(jobs.square, args, { retries: 1 });
        // tour: end
        settled[index]!++;
        draw();
        return result;
      }),
    );
    Atomics.store(deaths, 0, 0);
    const told = await pool.run(jobs.square, [1, deaths, true, 0]).then(
      () => null,
      (error: unknown) => error,
    );
    unsubscribe("skein:thread:exit", onExit);
    stage.check(
      `all ${JOBS} results are right`,
      results.every((result, index) => result === index * index),
    );
    stage.check(
      "every job settled exactly once",
      settled.every((times) => times === 1),
    );
    stage.check("a thread had died on the way", died.length >= 1 && died[0] === 3);
    stage.check(
      "without retries its caller gets a ThreadCrashedError",
      told instanceof ThreadCrashedError && told.exitCode === 3,
    );
  },
};

/** A busy loop on a thread is cancelled: the caller goes on at once, and the thread is free for the next job. */
import { ThreadPool } from "@skein/pool";
import { OperationCanceledError } from "@skein/scheduling";
import { CancellationTokenSource } from "@skein/scheduling";
import { formatCount } from "../../wording.ts";
import type { Scene } from "../scene.ts";
import type * as Jobs from "./cancellation.jobs.ts";

export const cancellation: Scene = {
  title: "A busy job, cancelled by a flag",
  about:
    "The job counts and never awaits, so its thread has no event loop that could bring a message. Reading a flag in shared memory costs it a few nanoseconds.",
  code: [new URL("cancellation.jobs.ts", import.meta.url).href, import.meta.url],
  async run(stage) {
    await using pool = new ThreadPool({ name: "cancellation", minThreads: 1, maxThreads: 1 });
    const jobs = pool.module<typeof Jobs>(new URL("./cancellation.jobs.ts", import.meta.url));
    const thread = await jobs.whereAmI();
    const rounds = new Int32Array(new SharedArrayBuffer(8));
    const draw = (state: string): void => {
      const count = Atomics.load(rounds, 0);
      // A turn of the wheel every hundred thousand rounds.
      const wheel = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[Math.floor(count / 100_000) % 10]!;
      stage.draw([`${wheel} ${formatCount(count).padStart(13)} rounds, ${state}`]);
    };
    // tour: begin
    const source = new CancellationTokenSource();
    const task = pool.run(jobs.count, [rounds], { signal: source.token });
    // tour: end
    const watch = setInterval(() => draw("counting"), 40);
    while (Atomics.load(rounds, 0) === 0 && task.status === "pending") await new Promise(setImmediate);
    await stage.pause(1500);
    // tour: begin
    source.cancel(); // the task rejects now, the job sees the flag
    // tour: end
    clearInterval(watch);
    const outcome = await task.then(
      () => "it ended by itself",
      (error: unknown) => error,
    );
    const next = await jobs.whereAmI();
    const after = Atomics.load(rounds, 0);
    draw("stopped");
    stage.check(
      "the caller got the cancellation, with its token",
      outcome instanceof OperationCanceledError && outcome.token === source.token,
    );
    stage.check(
      "the job saw the flag and returned",
      Atomics.load(rounds, 1) === 1 && after === Atomics.load(rounds, 0),
    );
    stage.check(
      "the next job ran on the same thread: none was ended",
      next === thread && pool.stats().crashed === 0,
    );
  },
};

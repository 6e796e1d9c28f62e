/** A burst of results comes in while a clock ticks in the event loop. The policy of the call decides who waits for whom. */
import { ThreadPool } from "@skein/pool";
import type { JobModule } from "@skein/pool";
import type { ContinuationPolicy, Task } from "@skein/scheduling";
import type { Scene, Stage } from "../scene.ts";
import type * as Jobs from "./policies.jobs.ts";

const RESULTS = 24;
const GOING_ON_MS = 2;
const POLICIES = ["inline", "asynchronous", "yield"] as const;

export const policies: Scene = {
  title: "Continuation policies beside a ticking clock",
  about: `${RESULTS} results arrive at once, and the code behind each takes a while (▪). A clock ticks whenever the event loop turns (|). "inline" and "asynchronous" let all of it run first; with "yield" the clock goes on.`,
  code: [import.meta.url],
  async run(stage) {
    await using pool = new ThreadPool({ name: "policies" });
    const jobs = pool.module<typeof Jobs>(new URL("./policies.jobs.ts", import.meta.url));
    await jobs.tick(sharedCounter());
    const tracks: Record<string, string> = {};
    const pendingAtFirst: Record<string, number> = {};
    for (const policy of POLICIES) {
      tracks[policy] = "";
      pendingAtFirst[policy] = await record(policy, pool, jobs, (event) => {
        tracks[policy] += event;
        stage.draw(Object.entries(tracks).map(([name, track]) => drawTrack(name, track, stage)));
      });
      await stage.pause(600);
    }
    const ticksWithin = (policy: string): number =>
      tracks[policy]!.replaceAll(/^\|+|\|+$/g, "").split("|").length - 1;
    const ran = POLICIES.map((policy) => tracks[policy]!.split("▪").length - 1);
    stage.check(
      `each of ${RESULTS} continuations ran once under each policy`,
      ran.every((count) => count === RESULTS),
    );
    stage.check(
      "inline and asynchronous: no tick until all had run",
      ticksWithin("inline") + ticksWithin("asynchronous") === 0,
    );
    stage.check(
      `inline: the first went on at once, ${pendingAtFirst["inline"]} others were not even settled`,
      pendingAtFirst["inline"]! > 0,
    );
    stage.check(
      "asynchronous: the first went on when all were settled",
      pendingAtFirst["asynchronous"] === 0,
    );
    stage.check(
      `yield: the clock ticked ${ticksWithin("yield")} times in between`,
      ticksWithin("yield") >= 3,
    );
  },
};

/** @returns how many tasks were pending when the first continuation ran */
async function record(
  policy: ContinuationPolicy,
  pool: ThreadPool,
  jobs: JobModule<typeof Jobs>,
  happened: (event: "▪" | "|") => void,
): Promise<number> {
  const ran = sharedCounter();
  const tasks: Task<void>[] = [];
  let pendingAtFirst: number | undefined;
  const goOn = (): void => {
    pendingAtFirst ??= tasks.filter(({ status }) => status === "pending").length;
    for (const end = performance.now() + GOING_ON_MS; performance.now() < end;);
    happened("▪");
  };
  const continued: PromiseLike<void>[] = [];
  for (let each = 0; each < RESULTS; each++) {
    // tour: begin
    const task = pool.run(jobs.tick, [ran], { continuations: policy });
    continued.push(task.then(goOn));
    // tour: end
    tasks.push(task);
  }
  // This thread does nothing until all have run elsewhere, so that their results are all there when it looks.
  while (Atomics.load(ran, 0) < RESULTS || pool.stats().threads.running > 0);
  const clock = setInterval(() => happened("|"), 1);
  await Promise.all(continued);
  happened("|");
  clearInterval(clock);
  return pendingAtFirst ?? 0;
}

function drawTrack(name: string, track: string, { style }: Stage): string {
  const painted = track.replaceAll(/▪+|\|+/g, (run) =>
    style(run.startsWith("|") ? ["bold", "green"] : "yellow", run),
  );
  return `${name.padEnd(13)} ${painted}`;
}

function sharedCounter(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

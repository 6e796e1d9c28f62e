/**
 * Bursts in a process that has done nothing else. One call first, so that the threads are there: how long that takes is another question
 * (cold-start.mjs). Arguments: the contender's name, the number of threads, of calls in a burst, of bursts, of calls before them.
 * The rate of each burst; and what the last took of the main thread.
 */
import { wakeAllCores } from "../method/all-cores.ts";
import { answer } from "../method/child.ts";
import { bareSlots, productNamed } from "../pool/field.ts";
import { burst, expectSame } from "../pool/rounds.ts";

const [name = "", threads = "1", calls = "1", bursts = "1", before = "0"] = process.argv.slice(2);
const count = Number(calls);
const once = await opened();
if (Number(before) > 0) await once(Number(before));
const perSecond: number[] = [];
let cpuUs = 0;
for (let i = 0; i < Number(bursts); i++) {
  wakeAllCores();
  const cpu = process.threadCpuUsage();
  perSecond.push(await once(count));
  const { user, system } = process.threadCpuUsage(cpu);
  cpuUs = (user + system) / count;
}
answer({ perSecond, cpuUs });

/** What makes a burst, and gives its rate. */
async function opened(): Promise<(jobs: number) => Promise<number>> {
  if (name === bareSlots.name) {
    // Not of all builds: it stands on what is inside of one.
    const { openBareSlots } = await import("../peers/bare-slots.ts");
    const bare = await openBareSlots(Number(threads));
    return async (jobs) => {
      const started = performance.now();
      const results = await bare.burst(jobs);
      const seconds = (performance.now() - started) / 1000;
      for (const [i, result] of results.entries()) expectSame(result, i);
      return jobs / seconds;
    };
  }
  const pool = await productNamed(name).open(Number(threads), "echo");
  await Promise.all(Array.from({ length: Number(threads) }, (_, i) => pool.run(i)));
  return (jobs) => burst(pool, jobs);
}

/** The jobs of one module on a ThreadPool, and on a Piscina that the program has already. */
import { ThreadPool } from "@skein/pool";
import { jobModule } from "@skein/pool/engine";
import type { JobEngine } from "@skein/pool/engine";
import { PiscinaEngine } from "@skein/piscina/engine";
import { CancellationTokenSource, OperationCanceledError } from "@skein/scheduling";
import { Piscina } from "piscina";
import type { Scene } from "../scene.ts";
import { tenant } from "./same-job.jobs.ts";
import type * as Jobs from "./same-job.jobs.ts";
import type { Found } from "./same-job.jobs.ts";

const SLICES = 48;

// tour: begin
const jobs = jobModule<typeof Jobs>(new URL("./same-job.jobs.ts", import.meta.url));

function countOn(engine: JobEngine, from: number, to: number): PromiseLike<Found> {
  return tenant.run("acme", () => engine.run(jobs.countPrimes, [from, to]));
}
// tour: end

export const sameJob: Scene = {
  title: "The same job on a Piscina pool",
  about:
    "A program that has a Piscina keeps it. The job module is the same, and so is what comes with a job: the ambient context, and cancellation by a flag.",
  code: [import.meta.url, new URL("same-job.jobs.ts", import.meta.url).href],
  async run(stage) {
    const slice = stage.fast ? 500 : 60_000;
    const piscina = new Piscina({ minThreads: 1, maxThreads: 1 });
    const engines: Record<string, JobEngine> = {
      // tour: begin
      ThreadPool: new ThreadPool({ minThreads: 1, maxThreads: 1 }),
      Piscina: new PiscinaEngine(piscina),
      // tour: end
    };
    const cells: Record<string, string[]> = {};
    const draw = (): void =>
      stage.draw(
        Object.entries(cells).map(
          ([name, own]) => `${name.padEnd(11)} ${stage.style("green", own.join(""))}`,
        ),
      );
    for (const name of Object.keys(engines)) cells[name] = Array.from({ length: SLICES }, () => "·");
    try {
      const counted = await Promise.all(
        Object.entries(engines).map(([name, engine]) =>
          Promise.all(
            cells[name]!.map(async (_, index) => {
              const found = await countOn(engine, index * slice, (index + 1) * slice);
              cells[name]![index] = "█";
              draw();
              return found;
            }),
          ),
        ),
      );
      const [own, theirs] = counted.map((list) => list.map(({ primes }) => primes).join());
      stage.check(`${SLICES} results of each are the same`, own === theirs);
      stage.check(
        "the ambient context was in every job",
        counted.flat().every((found) => found.tenant === "acme"),
      );
      stage.check(
        "a busy job on Piscina saw the flag, and its thread lives",
        await stopsByFlag(engines["Piscina"]!),
      );
    } finally {
      for (const engine of Object.values(engines)) await engine.close();
      await piscina.close();
    }
  },
};

async function stopsByFlag(engine: JobEngine): Promise<boolean> {
  const started = new Int32Array(new SharedArrayBuffer(4));
  const thread = await engine.run(jobs.whereAmI, []);
  const source = new CancellationTokenSource();
  const task = engine.run(jobs.spin, [started], { signal: source.token });
  while (Atomics.load(started, 0) === 0 && task.status === "pending") await new Promise(setImmediate);
  source.cancel();
  const outcome = await task.then(
    () => null,
    (error: unknown) => error,
  );
  return outcome instanceof OperationCanceledError && (await engine.run(jobs.whereAmI, [])) === thread;
}

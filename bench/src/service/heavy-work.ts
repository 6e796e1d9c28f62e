/** Where heavy work is done, behind one interface: what differs between the variants of the server, and nothing else. */
import { ThreadPool } from "@skein/pool";
import { Piscina } from "piscina";
import type * as HeavyJobs from "./heavy.jobs.ts";
import type { HeavyAnswer } from "./heavy.jobs.ts";
import type { HeavyTask } from "./heavy.piscina.ts";
import { stretch } from "./stretch.ts";
import type { PiscinaSettings, Place, Policy, SkeinSettings } from "./variants.ts";

export interface HeavyWork {
  /** Whether AsyncLocals reach the work. Otherwise the caller has to pass the id. */
  readonly carriesContext: boolean;
  run(seed: number, steps: number, id: string): PromiseLike<HeavyAnswer> | HeavyAnswer;
  close(): PromiseLike<void>;
}

const here = (file: string): URL => new URL(file, import.meta.url);

export function heavyWork(place: Place): HeavyWork {
  if (place.pool === "none") return onTheEventLoop;
  return place.pool === "piscina" ? onPiscina(place.options) : onSkein(place.options, place.continuations);
}

const onTheEventLoop: HeavyWork = {
  carriesContext: false,
  run: (seed, steps, id) => ({ digest: stretch(seed, steps), id }),
  close: () => Promise.resolve(),
};

function onPiscina(options: PiscinaSettings): HeavyWork {
  const pool = new Piscina<HeavyTask, HeavyAnswer>({ filename: here("heavy.piscina.ts").href, ...options });
  return {
    carriesContext: false,
    run: (seed, steps, id) => pool.run({ seed, steps, id }),
    close: () => pool.close(),
  };
}

function onSkein({ lowerPriority = false, ...options }: SkeinSettings, continuations: Policy): HeavyWork {
  const pool = new ThreadPool(
    lowerPriority ? { ...options, initialize: here("lower-priority.ts") } : options,
  );
  const { heavy } = pool.module<typeof HeavyJobs>(here("heavy.jobs.ts"), { continuations });
  return {
    carriesContext: true,
    run: (seed, steps) => heavy(seed, steps),
    close: () => pool.close(),
  };
}

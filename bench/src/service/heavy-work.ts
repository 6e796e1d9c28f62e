/** Where heavy work is done, behind one interface: what differs between the variants of the server, and nothing else. */
import { ThreadPool } from "@skein/pool";
import { Piscina } from "piscina";
import type * as HeavyJobs from "./heavy.jobs.ts";
import type { HeavyAnswer } from "./heavy.jobs.ts";
import type { HeavyTask } from "./heavy.piscina.ts";
import { stretch } from "./stretch.ts";
import type { PiscinaSettings, Place } from "./variants.ts";

export interface HeavyWork {
  /** Whether AsyncLocals reach the work. Otherwise the caller has to pass the id. */
  readonly carriesContext: boolean;
  run(seed: number, steps: number, id: string): PromiseLike<HeavyAnswer> | HeavyAnswer;
  close(): PromiseLike<void>;
}

const here = (file: string): URL => new URL(file, import.meta.url);

export function heavyWork(place: Place): HeavyWork {
  if (place.pool === "none") return onTheEventLoop;
  return place.pool === "piscina" ? onPiscina(place.options) : onSkein(place);
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

function onSkein({ options, continuations, context = true }: Extract<Place, { pool: "skein" }>): HeavyWork {
  const { lowerPriority = false, ...settings } = options;
  const pool = new ThreadPool(
    lowerPriority ? { ...settings, initialize: here("lower-priority.ts") } : settings,
  );
  const module = { continuations, flowContext: context };
  const { heavy, heavyFor } = pool.module<typeof HeavyJobs>(here("heavy.jobs.ts"), module);
  return {
    carriesContext: context,
    run: (seed, steps, id) => (context ? heavy(seed, steps) : heavyFor(seed, steps, id)),
    close: () => pool.close(),
  };
}

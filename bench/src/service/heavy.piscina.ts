/** The heavy job on piscina, which carries no context: the id is one more argument, at every call and in every job. */
import type { HeavyAnswer } from "./heavy.jobs.ts";
import { stretch } from "./stretch.ts";

export interface HeavyTask {
  readonly seed: number;
  readonly steps: number;
  readonly id: string;
}

export default function heavy({ seed, steps, id }: HeavyTask): HeavyAnswer {
  return { digest: stretch(seed, steps), id };
}

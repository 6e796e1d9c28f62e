/**
 * Where what awaits a job goes on: a colour and a place in the row of the jobs that settle, so that neither is needed to see the other. `inline`
 * is above, `asynchronous` between, `yield` below; a TaskScheduler above and below; the whole row is left to what awaits the job.
 */
import { type Policy, POLICIES } from "../wire.ts";

/** Parts of a height, from the top. */
type Bands = readonly (readonly [from: number, to: number])[];

const BANDS: Readonly<Record<Policy, Bands>> = {
  default: [[0, 1]],
  inline: [[0, 1 / 3]],
  asynchronous: [[1 / 3, 2 / 3]],
  yield: [[2 / 3, 1]],
  scheduler: [
    [0, 1 / 3],
    [2 / 3, 1],
  ],
};

/** By the index of the policy in POLICIES. */
export const POLICY_BANDS: readonly Bands[] = POLICIES.map((policy) => BANDS[policy]);

/** In words, for the legend and for the chosen job. */
export const POLICY_WORDS: Readonly<Record<Policy, string>> = {
  default: "as the task says",
  inline: "inline: at once, where it settles",
  asynchronous: "asynchronous: in a turn of its own",
  yield: "yield: behind what waits in the event loop",
  scheduler: "by a TaskScheduler",
};

/** The rows of the matrix: how code comes to run on somebody's behalf, and what it must see then. */
import { batchHops } from "./hops/batches.ts";
import { callerHops } from "./hops/callers.ts";
import { jobHops } from "./hops/jobs.ts";
import { leftoverHops } from "./hops/leftovers.ts";
import { subscriberHops } from "./hops/subscribers.ts";
import { wireHops } from "./hops/wires.ts";
import type { Hop } from "./stage.ts";

/** By the heading under which they stand in the picture. */
export const groups: Readonly<Record<string, readonly Hop[]>> = {
  "in a job": jobHops,
  "around a job, where it was called": callerHops,
  "over other pools, machines and HTTP": wireHops,
  "subscribers and listeners": subscriberHops,
  "what is left when somebody is done": leftoverHops,
  "in a batch": batchHops,
};
export const hops: readonly Hop[] = Object.values(groups).flat();

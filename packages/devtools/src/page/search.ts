/** Finds jobs by whose they are (the correlation id, or another value of the context that is shown), by function, by number. */
import { jobName } from "./format.ts";
import type { Job } from "./job.ts";
import type { Model } from "./model.ts";

export interface Found {
  readonly ids: ReadonlySet<number>;
  /** In the order in which they were submitted, the newest `limit`. */
  readonly jobs: readonly Job[];
}

const LISTED = 200;

/** Null: nothing is searched for. A job that another one has submitted shares its values, over all hops. */
export function search(model: Model, text: string): Found | null {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return null;
  const ids = new Set<number>();
  const jobs: Job[] = [];
  for (const job of model.jobs.values()) {
    if (!matches(model, job, wanted)) continue;
    ids.add(job.id);
    jobs.push(job);
  }
  return { ids, jobs: jobs.slice(-LISTED).toSorted((a, b) => startOf(a) - startOf(b)) };
}

function matches(model: Model, job: Job, wanted: string): boolean {
  if (jobName(job.id) === wanted || model.functionName(job.fn).toLowerCase().includes(wanted)) return true;
  const values = model.valuesOf(job);
  return values !== null && Object.values(values).some((value) => value.toLowerCase().includes(wanted));
}

function startOf({ submitted, began }: Job): number {
  return submitted >= 0 ? submitted : began;
}

/** A pool, whoever made it, as a scenario sees it: one job, called with one value. */
import type * as Work from "../jobs/work.mjs";
import type { Kind } from "../method/scenario.ts";

export type JobName = Exclude<keyof typeof Work, "default">;

export interface JobPool {
  run(value: unknown, transfer?: readonly ArrayBuffer[]): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
}

/** One configuration of one product. */
export interface Product {
  readonly name: string;
  readonly kind: Kind;
  readonly product: string;
  readonly configuration: string;
  /** All threads may be used, whether or not they run already. */
  open(threads: number, job: JobName): Promise<JobPool>;
}

/** `threads` aside, which every configuration has: `maxThreads` and the like are set to it. */
export function jobFile(name: string): URL {
  return new URL(`../jobs/${name}.mjs`, import.meta.url);
}

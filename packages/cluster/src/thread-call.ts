/** What a worker and the threads of its pool say to each other of one job. */
import type { WireOutcome } from "./wire.ts";

/** `unknown`: the module has no such function here; another version of it may. `text`: the error that says so. */
export type ThreadOutcome = WireOutcome | { readonly kind: "unknown"; readonly text: string };

/** What a call comes to. `isAtOnce`: the function has awaited nothing. */
export interface ThreadAnswer {
  readonly outcome: ThreadOutcome;
  readonly isAtOnce: boolean;
}

/** `text`: what the job reports, for its caller. The others: it begins, and ends, to wait for jobs that it has submitted to a cluster. */
export type ThreadReport = { readonly text: string } | "waits" | "proceeds";

/** Of the call with this number. */
export interface NumberedReport {
  readonly call: number;
  readonly report: ThreadReport;
}

/** On this channel a Cluster says in the caller's context that it has taken a job. */
export const SUBMITTED = "skein:cluster:submit";

export interface Submitted {
  /** Settles with the job, and takes no notice of how: a failure that nobody hears of shows as ever. */
  readonly over: PromiseLike<unknown>;
}

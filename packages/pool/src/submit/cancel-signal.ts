/** What cancels jobs: the caller's AbortSignal, or a CancellationToken that looks like one. */
import { isError } from "@skein/context/errors";
import { withJob } from "../codec/job-of-error.ts";
import { JobCanceledError } from "../errors.ts";
import { labelOf } from "../jobs/function-name.ts";
import type { FunctionSource } from "../jobs/function-source.ts";

/** As much of an AbortSignal as the pool uses. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** One whose listeners may be forgotten while they listen. */
export abstract class ForgetfulSignal {
  /** They listen again. */
  abstract renew(): void;
}

/**
 * What a job of this function rejects with that a fired signal cancels: its reason when that is an Error, otherwise a JobCanceledError
 * around it.
 */
export function cancellationError({ reason }: Pick<CancelSignal, "reason">, source: FunctionSource): Error {
  return isError(reason) ? reason : withJob(new JobCanceledError(reason), labelOf(source));
}

/** What cancels jobs: the caller's AbortSignal, or a CancellationToken that looks like one. */
import { JobCanceledError } from "../errors.ts";

/** As much of an AbortSignal as the pool uses. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What a job rejects with that a fired signal cancels: its reason when that is an Error, otherwise a JobCanceledError around it. */
export function cancellationError(signal: CancelSignal): Error {
  const { reason } = signal;
  return reason instanceof Error ? reason : new JobCanceledError(reason);
}

/** What a call rejects with that has thrown before its job was taken: as the job would. A list stays what it is. */
import { withJob } from "../codec/job-of-error.ts";
import { JobError } from "../errors.ts";
import { labelOf } from "../jobs/function-name.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import { rejectionOf } from "../submit/pending-job.ts";

export function refusedWith(error: unknown, source: FunctionSource): unknown {
  return error instanceof JobError ? withJob(error, labelOf(source)) : (error ?? rejectionOf(error));
}

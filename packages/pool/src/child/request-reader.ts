import type { JobRequest } from "../adapter/job-request.ts";
import { type FrameBody, JobFlag } from "../adapter/process-frames.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import { parseJson } from "../shared/intrinsics.ts";

export interface ReadRequest extends Pick<JobRequest, "fn" | "context" | "attempt" | "args"> {
  readonly number: number;
  readonly hasListener: boolean;
}

/** Requests as process/request-writer.ts writes them. */
export class RequestReader {
  #source: FunctionSource | null = null;
  #context: string | null = null;

  read(body: FrameBody): ReadRequest {
    const number = body.u32();
    const flags = body.u8();
    const attempt = body.u8();
    const has = (flag: number): boolean => (flags & flag) !== 0;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON of our own
    if (!has(JobFlag.sameFunction)) this.#source = parseJson(body.text()) as FunctionSource;
    if (!has(JobFlag.sameContext) && !has(JobFlag.noContext)) this.#context = body.text();
    return {
      number,
      attempt,
      fn: this.#source!,
      context: has(JobFlag.noContext) ? null : this.#context,
      hasListener: has(JobFlag.progress),
      args: { bytes: body.rest(), carried: null, shared: null },
    };
  }
}

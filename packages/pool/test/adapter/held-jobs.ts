/** An engine whose jobs go nowhere: the test does with each what a thread would. */
import {
  type CarriedJob,
  EngineJobs,
  encodeValue,
  type JobCarrier,
  type JobEnds,
  type JobReply,
} from "../../src/engine.ts";
import { CallState } from "../../src/shared/call-state.ts";
import { defaultSubmitOptions, type SubmitOptions } from "../../src/submit/submit-options.ts";
import type { Task } from "@skein/scheduling";

export interface HeldJob {
  readonly job: CarriedJob;
  readonly ends: JobEnds;
  /** The thread's side of it. */
  readonly state: CallState;
}

export class HeldJobs implements JobCarrier {
  readonly isElsewhere = true;
  readonly held: HeldJob[] = [];
  readonly terminated: CarriedJob[] = [];
  readonly jobs: EngineJobs = new EngineJobs(this);

  carry(job: CarriedJob, ends: JobEnds): void {
    this.held.push({ job, ends, state: new CallState(job.request.state) });
  }

  terminate(job: CarriedJob): void {
    this.terminated.push(job);
  }

  submit(args: readonly unknown[] = [], options: Partial<SubmitOptions> = {}): Task<unknown> {
    const source = { kind: "export", url: "file:///held.jobs.ts", name: "held" } as const;
    return this.jobs.submit({ source }, args, { ...defaultSubmitOptions, ...options }, nobody);
  }
}

const nobody = (): void => {};

export function replyOf(result: unknown): JobReply {
  return { kind: "result", value: encodeValue(result, "result").value };
}

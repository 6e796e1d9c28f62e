import type { CarriedJob } from "./engine-job.ts";
import type { JobReply } from "./job-request.ts";

/** How an engine carries jobs. Called under the empty context. */
export interface JobCarrier {
  /** Whether requests are posted to other threads. Otherwise jobs run on the thread that calls. */
  readonly isElsewhere: boolean;
  /**
   * Takes the job to where it runs, now or later, and then calls one of `ends`, once: what comes after that is ignored. What this throws, the job rejects with.
   */
  carry(job: CarriedJob, ends: JobEnds): void;
  /** The job was given up, had its grace period, and still runs: its thread is to be ended. For engines with the capability `terminate`. */
  terminate?(job: CarriedJob): void;
  /**
   * For engines whose jobs run where this thread's memory is not seen: the job is to be withdrawn if it has not begun, and asked to stop if
   * it has. `ends` hears afterwards what came of it: `arrived` with "withdrawn", or as ever. Must not throw; may be called again.
   */
  stop?(job: CarriedJob): void;
  /** Whether only bytes arrive: see EncodeOptions. @default false */
  readonly bytesOnly?: boolean;
  /** How far the context of the caller has to flow: "wire" is for other programs. @default "thread" */
  readonly reach?: "thread" | "wire";
  /** Whether a job whose thread died runs again there, as its `retries` say; the caller then hears of the last time alone. @default false */
  readonly retriesThere?: boolean;
}

/** How the journey of a job ends. */
export interface JobEnds {
  /** Its reply is here. */
  arrived(reply: JobReply): void;
  /** The same for a value that is a copy already, and nobody else's: what the job has returned, or the wire form of what it has thrown. */
  settled(kind: "result" | "error", value: unknown): void;
  /** There is none: its thread has died, or it could not be carried. After a ThreadCrashedError it runs again if it has `retries`, unless `retriesThere`. */
  failed(error: Error): void;
}

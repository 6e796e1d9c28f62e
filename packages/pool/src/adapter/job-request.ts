/** What an engine posts to the thread that runs its job, and what comes back. Plain data: each can be posted as it is. */
import type { Transferable } from "node:worker_threads";
import type { FunctionSource } from "../jobs/function-source.ts";
import type { EncodedValue } from "./encoded-value.ts";

/** What a job tells while it runs, in order: that it has begun, and its progress. `lost`: progress that cannot be read here; it fails the job. */
export type JobReport =
  | { readonly kind: "began" }
  | { readonly kind: "lost" }
  | { readonly kind: "progress"; readonly value: unknown };

/** Where reports go: a MessagePort, or what looks like one to a job on the same thread. */
export interface ReportPort {
  postMessage(report: JobReport): void;
}

/** How a generator goes on that a job has returned, for an engine whose jobs run on the thread that calls. */
export interface GeneratorCalls {
  /** In the context of the job, and as a part of it. */
  readonly next: () => unknown;
  readonly return: () => unknown;
  /** Calls `call` once, where functions are called. */
  readonly place: (call: () => void) => void;
  /** The generator has ended. */
  readonly returned: (value: unknown) => void;
  readonly failed: (error: unknown) => void;
}

export interface JobRequest {
  readonly fn: FunctionSource;
  /** The argument list. */
  readonly args: EncodedValue;
  /** The text form of the caller's context; null: nothing of it flows. */
  readonly context: string | null;
  /** Of a CallState. */
  readonly state: Int32Array;
  /** 1, and one more for each thread that has died at it. */
  readonly attempt: number;
  /** Whether it came from another machine: traces tell it from one of this machine. */
  readonly isRemote?: boolean;
  /** Null: nobody listens. */
  readonly reports: ReportPort | null;
  /** Whether only bytes of the reply arrive. @default false */
  readonly bytesOnly?: boolean;
  /** Takes a generator that the job returns. Without it such a job fails: the engine has no streams. */
  readonly streams?: ((calls: GeneratorCalls) => void) | undefined;
  /** What stands for the streams among the arguments, by their numbers. @default there are none */
  readonly received?: ReadonlyMap<number, object> | undefined;
}

/** `withdrawn`: the caller had given the job up before it began. */
export type JobReply =
  | { readonly kind: "result" | "error"; readonly value: EncodedValue }
  | { readonly kind: "withdrawn" };

export interface SentReply {
  readonly reply: JobReply;
  /** What has to be listed when `reply` is posted. */
  readonly transfer: readonly Transferable[];
}

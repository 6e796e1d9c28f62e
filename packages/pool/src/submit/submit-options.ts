/** How one job is to run: the options of `run`, checked and complete. */
import type { Transferable } from "node:worker_threads";
import type { ContinuationPolicy } from "@skein/scheduling";
import { PRIORITIES } from "../shared/layout.ts";
import type { CancelSignal } from "./cancel-signal.ts";

/** The one thread that may run a job: the one where all jobs of this key run, or a thread by its id. */
export type Placement =
  | { readonly kind: "affinity"; readonly key: string }
  | { readonly kind: "thread"; readonly threadId: number };

export interface SubmitOptions {
  /** Index into PRIORITIES. */
  readonly priority: number;
  readonly signal: CancelSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly runTimeoutMs: number | undefined;
  /** As TaskCompletionSource takes it; one object for all jobs with the same policy. */
  readonly continuations: { readonly continuations: ContinuationPolicy } | undefined;
  readonly flowContext: boolean;
  /** How often the job runs again after its thread died. */
  readonly retries: number;
  /** What the caller has said of that; undefined: nothing. An engine may have another default. */
  readonly saidRetries: number | undefined;
  readonly onCancel: "cooperate" | "terminate";
  readonly graceMs: number;
  /** What these two come to. Null: a running job that is cancelled is only asked to stop. Else its thread is ended after so many milliseconds. */
  readonly terminateAfterMs: number | null;
  /** Whether the caller has asked for what `isExclusive` says. */
  readonly exclusive: boolean;
  /**
   * Whether its thread runs nothing else meanwhile, beneath it or beside it. So is every job that may be terminated: who ends the thread
   * ends nobody else then.
   */
  readonly isExclusive: boolean;
  /** Null: any thread may run it. */
  readonly placement: Placement | null;
  /** Called with what the job reports, before its task settles. */
  readonly onProgress: ((value: unknown) => void) | undefined;
  /** How many items the stream of a generator may be ahead of its reader; 0: the caller takes none. */
  readonly highWaterMark: number;
  /** What is moved instead of copied; null: nothing. Of this call alone. */
  readonly transfer: readonly Transferable[] | null;
  /** Whether `map` has made it, for one item or several. */
  readonly ofMap: boolean;
  /** What only the engine knows of: see OwnRunOptions. */
  readonly own: unknown;
}

export const defaultSubmitOptions: SubmitOptions = {
  priority: PRIORITIES.indexOf("normal"),
  signal: undefined,
  timeoutMs: undefined,
  runTimeoutMs: undefined,
  continuations: undefined,
  flowContext: true,
  retries: 0,
  saidRetries: undefined,
  onCancel: "cooperate",
  graceMs: 1000,
  terminateAfterMs: null,
  exclusive: false,
  isExclusive: false,
  placement: null,
  onProgress: undefined,
  highWaterMark: 16,
  transfer: null,
  ofMap: false,
  own: undefined,
};

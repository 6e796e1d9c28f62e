/** A submitted job on the submitting thread: what becomes of its outcome, and what has to be given back when it is over. */
import { SkeinError } from "@skein/context/errors";
import type { ContextEntry } from "./context-entries.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import type { FunctionEntry } from "./function-registry.ts";
import { type JobExtras, noExtras } from "./job-extras.ts";
import type { SubmitOptions } from "./submit-options.ts";

/** Not in the slot table. */
export const NO_SLOT = -1;

// Stages of a job: see ledger.ts.
export const WAITING = 0;
export const IN_SLOT = 1;
export const HERE = 2;
export const DECIDED = 3;
export const SETTLED = 4;

// Kinds of outcomes: see outcomes.ts.
export const COMPLETED = 0;
/** With what the job threw, in its wire form: an instance of the user's class is made when the outcome is told, not before. */
export const THREW = 1;
export const FAILED = 2;
export const CANCELED = 3;
export const CRASHED = 4;
export type OutcomeKind = typeof COMPLETED | typeof THREW | typeof FAILED | typeof CANCELED | typeof CRASHED;

/** What `tell` needs (outcomes.ts): a job of any engine, with its outcome once that is decided. */
export interface DecidedJob {
  readonly fn: { readonly source: FunctionSource };
  extras: JobExtras;
  outcome: OutcomeKind;
  value: unknown;
  /** Names the job in messages: as a rule what the caller waits for. Some jobs make it when it is first asked for. */
  readonly task: object;
  /** Whether the caller has the outcome: one of the following was called. */
  readonly isOver: boolean;
  trySetResult(result: unknown): void;
  trySetError(error: unknown): void;
  trySetCanceled(reason: Error): void;
}

/** What the ledger knows of a job. One object with what its caller has of it, since a burst of jobs is a burst of garbage: see the classes. */
export abstract class PendingJob implements DecidedJob {
  readonly fn: FunctionEntry;
  /** WAITING to SETTLED. */
  stage: number = WAITING;
  slot: number = NO_SLOT;
  extras: JobExtras = noExtras;
  /** For the statistics. Null: not every job is timed, and a job that is not need not have a number object of its own. */
  submittedAt: number | null = null;

  // What it holds: see `JobPreparation`, which fills this in, and `JobHoldings`.

  /** Null: it names none. */
  context: ContextEntry | null = null;
  /** Of the encoded arguments. */
  argsLength: number = 0;
  /** Where they lie, a handle of payloads.ts; 0: inline, at most INLINE_BYTES. */
  block: number = 0;

  // What becomes of it: see outcomes.ts.

  outcome: OutcomeKind = COMPLETED;
  value: unknown = undefined;
  /** The one whose outcome was decided after this one's. */
  next: PendingJob | null = null;

  constructor(fn: FunctionEntry) {
    this.fn = fn;
  }

  abstract readonly options: SubmitOptions;
  /** What the job is called with, if it is called here; null: only its encoded form is kept. */
  abstract readonly args: readonly unknown[] | null;
  /** `args` are nothing but numbers, and not encoded. */
  abstract readonly isNumbers: boolean;
  /** Of a context whose text lies behind its encoded arguments, and is counted with them: see slot-filling.ts. Null: none. */
  abstract contextBeside: number | null;
  abstract readonly task: object;
  abstract readonly isOver: boolean;
  abstract trySetResult(result: unknown): void;
  abstract trySetError(error: unknown): void;
  abstract trySetCanceled(reason: Error): void;
}

/** What a task can end with, for whatever a job threw: a task has no null for an error, and a list stands for several of them. */
export function rejectionOf(thrown: unknown): unknown {
  if (thrown === null || thrown === undefined) {
    return new SkeinError("ERR_SKEIN_NOTHING_THROWN", `The job threw ${thrown}, which says nothing`);
  }
  return Array.isArray(thrown) ? [thrown] : thrown;
}

/** What a model test describes: programs, the memory they begin with, and what must hold. */
import type { Layout } from "../../../src/shared/layout.ts";
import type { Fault } from "./operations.ts";
import type { ProgramName } from "./programs.ts";

export interface Scenario {
  /** One per thread. */
  readonly threads: readonly (readonly [program: ProgramName, ...args: number[]])[];
  /** Memory is zero; fills it. */
  readonly prepare: (memory: ModelMemory) => void;
  /** What holds between any two steps. */
  readonly always?: (run: Run) => void;
  /** What holds when no thread can go on: all have finished or are blocked. */
  readonly atRest?: (run: Run) => void;
  /** What holds when the schedule is over and all threads have ended. */
  readonly atEnd?: (run: Run) => void;
  /** Threads that may be ended at any step, one of them in a schedule. */
  readonly mortal?: readonly number[];
  /** How many waits may time out in a schedule. */
  readonly timeouts?: number;
  readonly fault?: Fault;
}

export interface ModelMemory {
  readonly layout: Layout;
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
}

/** What a check sees of the schedule so far. */
export interface Run extends ModelMemory {
  /** What each thread has told. */
  logs(thread: number): number[];
  /** The thread that was ended, or -1. */
  readonly killed: number;
  /** The word for which a thread is blocked, or -1. */
  blockedOn(thread: number): number;
}

export type Action = "step" | "timeout" | "kill";
/** What can happen next. */
export interface Choice {
  readonly thread: number;
  readonly action: Action;
}

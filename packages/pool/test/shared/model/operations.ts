/** What a thread of a model test asks for before each atomic operation, and what it is answered. */

export type Operation =
  | "load"
  | "store"
  | "cas"
  | "exchange"
  | "add"
  | "wait"
  | "waitAsync"
  | "notify"
  // Within wait, and for whoever awaits the promise of waitAsync: blocked until notified.
  | "waiting"
  | "waiting without end"
  | "awaiting";

export interface Request {
  readonly operation: Operation;
  readonly index: number;
  /** Says more about the operation in a printed schedule. */
  readonly value: number;
}

export type Answer = "go" | "notified" | "timed-out";

/** What becomes of a function that was made to step (test/support/stepping.ts). */
export type Steps<Result> = Generator<Request, Result, Answer>;

/** A fault to be injected: the operation is put off, so that the thread's next `until` comes first. */
export interface Fault {
  readonly operation: "store" | "cas";
  /** Word offsets in the control buffer, the second one excluded. */
  readonly from: number;
  readonly to: number;
  /** The low 17 bits of the value written. */
  readonly value: number;
  readonly until: Operation;
}

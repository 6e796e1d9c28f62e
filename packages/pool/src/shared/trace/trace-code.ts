/** What the records of a trace mean: the numbers in them, and how they are packed. Pure arithmetic. */

/** Of a record. */
export const KIND = {
  /** From the start of the thread until it looks for its first job. */
  start: 1,
  /** A call that submits a job. */
  submit: 2,
  /** A job's task settles; inline continuations run within. */
  settle: 3,
  /** A job's function, until it returns. */
  run: 4,
  /** The same, called after its module was loaded. */
  resume: 5,
  /** A job that awaited something writes its outcome. */
  finish: 6,
  /** The thread has nothing to do. */
  parked: 7,
  /** The thread waits in `join`, and there is nothing to help with. */
  joining: 8,
  /** A moment: a job was taken from another thread's deque. */
  steal: 9,
  /** A moment: a job was withdrawn, or asked to stop. */
  cancel: 10,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export const DETAILS = [
  "completed",
  "failed",
  "canceled",
  "crashed",
  /** It has returned a promise. */
  "awaiting",
  /** The trace was written before it ended. */
  "unfinished",
] as const;
export type Detail = (typeof DETAILS)[number];

/** By name, for speed. */
export const DETAIL: Readonly<Record<Detail, number>> = Object.fromEntries(
  DETAILS.map((detail, i) => [detail, i]),
) as Record<Detail, number>;

/** In the place of the details, of a submission: where what awaits the job goes on. */
export const POLICIES = ["default", "inline", "yield", "asynchronous", "scheduler"] as const;
export type Policy = (typeof POLICIES)[number];

const RADIX = 16;

/** `fn`: the number of the function among those of its submitter, 0 when it is about none. Details are added. */
export function codeOf(kind: Kind, fn: number): number {
  return ((fn >>> 0) * RADIX + kind) * RADIX;
}

export function kindOf(code: number): Kind {
  return lowOf(Math.floor(code / RADIX), RADIX) as Kind;
}

export function detailOf(code: number): Detail {
  return DETAILS[lowOf(code, RADIX)]!;
}

export function policyOf(code: number): Policy {
  return POLICIES[lowOf(code, RADIX)]!;
}

/** As an unsigned number. */
export function functionOf(code: number): number {
  return Math.floor(code / (RADIX * RADIX));
}

const PRIORITIES = 4;
const COUNTS = 2 ** 31;

/** A job: who submitted it, the how manieth it was, and its priority. Never 0, and exact in a Float64. */
export function jobKey(serial: number, count: number, priority: number): number {
  return (serial * COUNTS + (count % COUNTS)) * PRIORITIES + priority;
}

/** A function: who submits it, and its number there. */
export function functionKey(serial: number, fn: number): number {
  return serial * 2 ** 32 + fn;
}

export function priorityOf(key: number): number {
  return lowOf(key, PRIORITIES);
}

/** The how manieth of its submitter it was. */
export function countOf(key: number): number {
  return lowOf(Math.floor(key / PRIORITIES), COUNTS);
}

export function serialOf(key: number): number {
  return Math.floor(key / (PRIORITIES * COUNTS));
}

/** A remainder of a power of two, which is exact: `%` of numbers beyond 32 bits is a call of many steps. */
function lowOf(value: number, radix: number): number {
  return value - Math.floor(value / radix) * radix;
}

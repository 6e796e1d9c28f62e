/**
 * What a thread may take.
 *
 * An exclusive job may share its thread with nothing, so it waits in a ring of its own, where it holds up nobody. What a thread may take
 * (`reach`) depends on what it has:
 *
 * | reach      | the thread has                                   | it may take                                              |
 * | ---------- | ------------------------------------------------ | -------------------------------------------------------- |
 * | ALL        | no job, and none of its own is outstanding       | everything                                               |
 * | SHARED     | a job that waits, in `join` or for a promise     | all but exclusive jobs                                   |
 * | OWN        | an exclusive job                                 | its own deque: what that job submits, whatever priority  |
 */
export const ALL = 0;
export const SHARED = 1;
export const OWN = 2;
export type Reach = typeof ALL | typeof SHARED | typeof OWN;

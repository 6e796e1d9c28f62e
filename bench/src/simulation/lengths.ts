/** Of jobs, in microseconds: those that are measured, and simulated. */
export const JOB_US: readonly number[] = [0, 1, 10, 100];

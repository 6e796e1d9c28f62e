/** When a thread is replaced; Infinity: no such limit. */
export interface RecycleLimits {
  readonly maxJobs: number;
  readonly maxHeapBytes: number;
  readonly maxAgeMs: number;
}

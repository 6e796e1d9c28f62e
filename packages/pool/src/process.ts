/** `@skein/pool/process`: jobs in child processes. */
export type { ProcessPoolOptions } from "./process/process-options.ts";
export { ProcessPool } from "./process/process-pool.ts";
export type { ProcessLimits } from "./process/spawn.ts";

/** See test/support/stepped-modules.ts. */
declare module "*?stepped" {
  import type { Environment } from "./programs.ts";

  /** Each gives its steps. */
  export const programs: Readonly<Record<string, (environment: Environment, ...args: number[]) => unknown>>;
}

/**
 * How long is too long. Limits only end what hangs: they are generous, and grow with the machine's load. `SKEIN_TEST_TIMEOUT_SCALE`
 * multiplies them all; by default it follows the load at the start, from 1 on an idle machine to 6.
 */
import { availableParallelism, loadavg } from "node:os";

const given = Number(process.env["SKEIN_TEST_TIMEOUT_SCALE"]);
const perCore = loadavg()[0]! / availableParallelism();

export const timeoutScale: number = given > 0 ? given : Math.min(6, Math.max(1, perCore));

/** @param ms What is ample on an idle machine. */
export function timeLimit(ms: number): number {
  return Math.ceil(ms * timeoutScale);
}

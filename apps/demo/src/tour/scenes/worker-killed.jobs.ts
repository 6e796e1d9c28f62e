/** What the scene runs on two worker processes. */
import { setTimeout as pause } from "node:timers/promises";

const MS = 20;

export interface Square {
  readonly square: number;
  /** Of the process that it ran in. */
  readonly pid: number;
}

export async function square(n: number): Promise<Square> {
  await pause(MS);
  return { square: n * n, pid: process.pid };
}

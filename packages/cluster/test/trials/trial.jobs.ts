/** Jobs of the trials. Each run leaves a line, however it ends. */
import { appendFileSync } from "node:fs";

/** Returns at once, unless it is to wait: jobs that do are fetched ahead of their turn. */
export function work(log: string, id: number, ms: number): number | Promise<number> {
  appendFileSync(log, `${id}\n`);
  return ms === 0 ? id : new Promise((resolve) => setTimeout(resolve, ms, id));
}

/** Jobs of the trials. Each run leaves a line, however it ends. */
import { appendFileSync } from "node:fs";

export async function work(log: string, id: number, ms: number): Promise<number> {
  appendFileSync(log, `${id}\n`);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return id;
}

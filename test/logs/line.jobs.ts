/** Imports none of the locals whose values its lines have. */
import { log } from "./logger.ts";

export async function work(index: number): Promise<void> {
  log.info({ index, step: 1 }, "begun");
  await Promise.resolve();
  log.info({ index, step: 2 }, "done");
}

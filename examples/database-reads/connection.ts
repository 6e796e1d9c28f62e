/** The `initialize` module of the pool: each thread opens a connection before its first job, and closes it when the pool closes. */
import { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";

export const database = new DatabaseSync(workerData as string, { readOnly: true });

export function dispose(): void {
  database.close();
}

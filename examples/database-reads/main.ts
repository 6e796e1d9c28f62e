/**
 * node:sqlite is synchronous: a slow query stops the whole server. Here queries run as jobs, on threads that each have a connection of
 * their own, and the event loop stays free.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ThreadPool } from "@skein/pool";
import { Task } from "@skein/scheduling";
import type * as Reports from "./reports.jobs.ts";

const folder = mkdtempSync(join(tmpdir(), "skein-database-"));
const file = join(folder, "orders.db");
fill(file);

const pool = new ThreadPool({
  maxThreads: 2,
  initialize: new URL("./connection.ts", import.meta.url), // loaded by each thread before its first job
  workerData: file, // what connection.ts opens
});
// The main thread takes nothing but the types from the module: it is loaded on the threads.
const reports = pool.module<typeof Reports>(new URL("./reports.jobs.ts", import.meta.url));

try {
  const years = [2023, 2024, 2025];
  const answers = Task.whenAll(years.map((year) => reports.bestCustomers(year, 2)));

  // Meanwhile the event loop turns, as it would for other requests. With the queries on this thread it could not.
  let turns = 0;
  for (; !answers.isCompleted; turns++) await nextTurn();

  for (const [i, customers] of (await answers).entries())
    console.log(years[i], customers.map(({ customer, total }) => `${customer} ${total}`).join(", "));
  console.log("the event loop turned during the queries:", turns > 0);
} finally {
  await pool.close(); // waits until the threads have closed their connections
  rmSync(folder, { recursive: true });
}

/** 60,000 orders of 500 customers. */
function fill(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`
    CREATE TABLE orders (year INTEGER, customer TEXT, price INTEGER, quantity INTEGER);
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 59999)
    INSERT INTO orders SELECT 2023 + i % 3, 'customer ' || (i * 7919 % 500), 1 + i * 31 % 97, 1 + i % 5 FROM n;
  `);
  database.close();
}

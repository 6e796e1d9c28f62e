/**
 * Jobs on all threads produce rows; one connection writes them. A transaction per row would be slow, so rows are collected per table and
 * inserted up to a hundred at a time.
 */
import { DatabaseSync } from "node:sqlite";
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import { ThreadPool } from "@skein/pool";
import { Task } from "@skein/scheduling";
import type * as Jobs from "./decode.jobs.ts";

const database = new DatabaseSync(":memory:");
const tables = ["readings", "alarms"]; // a slot each: a batch never mixes them
for (const table of tables)
  database.exec(`CREATE TABLE ${table} (station INTEGER, minute INTEGER, celsius REAL)`);
const inserts = tables.map((table) => database.prepare(`INSERT INTO ${table} VALUES (?, ?, ?)`));

const writer = new MultiProducerConcurrentConsumer<Jobs.Reading>({
  slots: tables.length,
  batchSize: 100, // a full batch is written at once
  pushIntervalMs: 20, // a smaller one when its oldest row has waited this long
  maxConcurrency: 1, // one transaction at a time for each table
});

let largest = 0;
// Runs on this thread, which owns the connection.
writer.start((rows, slot) => {
  database.exec("BEGIN");
  for (const { station, minute, celsius } of rows) inserts[slot]!.run(station, minute, celsius);
  database.exec("COMMIT");
  largest = Math.max(largest, rows.length);
});

const pool = new ThreadPool();
const jobs = pool.module<typeof Jobs>(new URL("./decode.jobs.ts", import.meta.url));

// A handle is plain data, so it is an argument like any other.
const [toReadings, toAlarms] = tables.map((_, slot) => writer.producer(slot).handle);
await Task.whenAll(Array.from({ length: 8 }, (_, i) => jobs.decode(i, 600, toReadings!, toAlarms!)));
await pool.close();

// Takes no more, writes what is left, and says what could not be written.
const { discarded, failed } = await writer.complete();

for (const table of tables) {
  const { count } = database.prepare(`SELECT COUNT(*) AS count FROM ${table}`).get()!;
  console.log(`${table}: ${String(count)} rows`);
}
console.log("no batch above 100 rows:", largest <= 100);
console.log("lost:", discarded.length + failed.length);
database.close();

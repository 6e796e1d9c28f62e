/**
 * The process of an embedded database: `node database-process.js <folder> <socket>`. One PGlite, which has one session; all processes that use the folder
 * send their queries here, one after the other, and hear of all notifications. It ends when nobody has been connected for a while.
 *
 * Whoever needs the database starts this program; only one of them gets the lock, which the system takes back however its process ends.
 */
import { PGlite } from "@electric-sql/pglite";
import { LATEST_SCHEMA_VERSION, runMigrations, DEFAULT_SCHEMA } from "bullmq";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Answer, frame, FrameReader, type Query } from "./database-frames.ts";
import { addressFile, snapshotFile } from "./database-places.ts";

const { process } = globalThis;

/** How long it stays when nobody is connected. */
const IDLE_MS = 5000;

const [folder, address] = process.argv.slice(2) as [string, string];
const clients = new Set<Socket>();
let idle: NodeJS.Timeout | undefined;

const lock = new DatabaseSync(join(folder, "owner.lock"));
if (isFree()) await serve();

function isFree(): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what node:sqlite throws
    if ((error as { errcode?: number }).errcode === 5) return false;
    throw error;
  }
}

async function serve(): Promise<void> {
  const database = await open();
  database.onNotification((channel, payload) => {
    for (const client of clients) client.write(frame({ channel, payload }));
  });
  const server = createServer((client) => connect(database, client));
  // Of one that was killed.
  if (process.platform !== "win32") rmSync(address, { force: true });
  server.listen(address);
  // For people: which process it is.
  writeFileSync(join(folder, "owner.pid"), String(process.pid));
  writeFileSync(addressFile(folder), address);
  endWhenIdle();

  function endWhenIdle(): void {
    idle = setTimeout(() => {
      server.close(() => void database.close().then(() => process.exit(0)));
    }, IDLE_MS);
  }

  function connect(db: PGlite, client: Socket): void {
    clearTimeout(idle);
    clients.add(client);
    const frames = new FrameReader<Query>();
    client.on("data", (chunk) => {
      for (const query of frames.read(chunk))
        void answer(db, query).then((said) => client.write(frame(said)));
    });
    client.on("error", () => {}); // "close" follows.
    client.on("close", () => {
      clients.delete(client);
      if (clients.size === 0) endWhenIdle();
    });
  }
}

async function answer(db: PGlite, { id, text, params }: Query): Promise<Answer> {
  try {
    return { id, ...(await run(db, text, params ?? [])) };
  } catch (error) {
    const { message, code } = error as Error & { readonly code?: string };
    return { id, message, code: code ?? null };
  }
}

/** As `query` of `pg`: a text without parameters may have several statements. */
async function run(
  db: PGlite,
  text: string,
  params: readonly unknown[] = [],
): Promise<{ rows: unknown[]; rowCount: number }> {
  const result = params.length === 0 ? (await db.exec(text)).at(-1) : await db.query(text, [...params]);
  const rows = result?.rows ?? [];
  return { rows, rowCount: result?.affectedRows ?? rows.length };
}

/** The folder's database, with the schema of this version of BullMQ. */
async function open(): Promise<PGlite> {
  const dataDir = join(folder, "data");
  // There from the first byte to the last one of a new database: what a killed process has left behind is made anew.
  const unfinished = join(folder, "unfinished");
  const isNew = existsSync(unfinished) || !existsSync(join(dataDir, "PG_VERSION"));
  if (isNew) {
    writeFileSync(unfinished, "");
    rmSync(dataDir, { recursive: true, force: true });
  }
  const snapshot = isNew ? readSnapshot() : null;
  const database = await PGlite.create({ dataDir, ...(snapshot !== null && { loadDataDir: snapshot }) });
  await runMigrations({ query: (text, params) => run(database, text, params) as never });
  rmSync(unfinished, { force: true });
  if (isNew && snapshot === null) await writeSnapshot(database);
  await database.exec(`SET search_path TO ${DEFAULT_SCHEMA}`);
  return database;
}

/** Null: there is none, or none that can be read. It only saves time. */
function readSnapshot(): Blob | null {
  try {
    return new Blob([readFileSync(snapshotFile(versions()))], { type: "application/x-gzip" });
  } catch {
    return null;
  }
}

async function writeSnapshot(database: PGlite): Promise<void> {
  try {
    const snapshot = snapshotFile(versions());
    const part = `${snapshot}.${process.pid}`;
    const bytes = await (await database.dumpDataDir("gzip")).arrayBuffer();
    writeFileSync(part, new Uint8Array(bytes));
    renameSync(part, snapshot);
  } catch {
    // The home of this user is read-only, say: the next new database takes as long as this one.
  }
}

function versions(): string {
  const of = (name: string): string => {
    const manifest = findPackageJSON(name, import.meta.url)!;
    return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
  };
  return `${of("@electric-sql/pglite")}-${of("bullmq")}-${LATEST_SCHEMA_VERSION}`;
}

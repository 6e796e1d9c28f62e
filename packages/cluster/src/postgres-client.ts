/**
 * A process's connections to a Postgres server: what BullMQ takes for a `pg.Pool`. The driver is loaded when it is needed first.
 *
 * State      | CLOSED     | nobody has asked anything yet, or the server cannot be reached                     | construction, lost
 *            | OPEN       | the server has answered, and its schema is that of this version of BullMQ          | connected
 *            | ENDED      | final                                                                              | disconnect
 * Moves      connected  CLOSED → OPEN: `connect` tries for ever, and says so by `onError`. BullMQ connects before it queries, and what it gets
 *                       then it keeps
 *            lost       OPEN → CLOSED: what was asked and not answered rejects, as if a connection to Redis had broken: it may have been done
 */
import { URL } from "node:url";
import { AsyncScope } from "@skein/context";
import {
  assertSchemaCompatibility,
  DEFAULT_SCHEMA,
  LATEST_SCHEMA_VERSION,
  runMigrations,
  SchemaMigrationRequiredError,
} from "bullmq";
import type { Client, Pool, PoolClient, QueryResult } from "pg";
import { connectionError, DatabasePool } from "./database-pool.ts";

const SERVER = "The Postgres server";

/** At once, and one of them only listens. A server has a hundred for everybody, by default. */
const CONNECTIONS = 4;
/** How long one attempt may take. */
const CONNECT_MS = 5000;
/** Between two attempts. */
const PAUSE_MS = 500;
/** Of the system; or of a server that ends, starts, or is full: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const AWAY = /^(?:E(?!RR_)[A-Z_]+$|08|57P0[1235]|53300)/;
/** It has undone the whole statement, since another one was in its way: two callers that add the same keys in another order, for one. */
const UNDONE = /^40(?:001|P01)$/;

export class PostgresClient extends DatabasePool {
  readonly #url: string;
  readonly #onError: (error: Error) => void;
  readonly #clients = new Set<PoolClient>();
  #pool: Promise<Pool> | null = null;
  #hasSchema = false;
  #isReady = false;

  constructor(url: string, onError: (error: Error) => void) {
    super();
    this.#url = urlWithSchema(url);
    this.#onError = onError;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** As that of a `pg.Pool`. */
  readonly query = async (text: string, params?: readonly unknown[]): Promise<QueryResult> => {
    if (this.isEnded) throw connectionError(SERVER, "it is closed");
    const pool = await this.#opened();
    for (;;) {
      try {
        const result = await AsyncScope.root.run(() => pool.query(text, params as unknown[]));
        this.#isReady = true;
        return result;
      } catch (error) {
        const { code = "" } = error as Error & { readonly code?: string };
        if (!UNDONE.test(code) || this.isEnded) throw this.#explain(error as Error);
      }
    }
  };

  /** As that of a `pg.Pool`, but when the server is away it waits for it. */
  async connect(): Promise<PoolClient> {
    while (!this.isEnded) {
      let client: PoolClient | undefined;
      try {
        const pool = await this.#opened();
        client = await AsyncScope.root.run(() => pool.connect());
        if (!this.#hasSchema) await migrate(client);
        if (this.isEnded) throw new Error("Nobody wants it any more");
        this.#hasSchema = true;
        this.#isReady = true;
        return client;
      } catch (error) {
        client?.release(true);
        if (this.isEnded) break;
        this.#onError(this.#explain(error as Error));
        await this.sleep(PAUSE_MS);
      }
    }
    throw connectionError(SERVER, "it is closed");
  }

  protected disconnected(): void {
    this.#isReady = false;
    this.#pool?.then((pool) => pool.end()).catch(() => {});
    // Those that listen, or wait for an answer: the pool waits until they are given back.
    for (const client of this.#clients) (client as unknown as Client).end().catch(() => {});
  }

  #opened(): Promise<Pool> {
    this.#pool ??= AsyncScope.root.run(() => this.#open());
    return this.#pool;
  }

  async #open(): Promise<Pool> {
    const { Pool: PgPool } = await import("pg");
    const pool = new PgPool({
      connectionString: this.#url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
    });
    // One that nobody uses has broken.
    pool.on("error", (error) => this.#onError(this.#explain(error)));
    pool.on("connect", (client) => {
      this.#clients.add(client);
      // Whoever uses it hears of it as well.
      client.on("error", () => {});
    });
    pool.on("remove", (client) => this.#clients.delete(client));
    return pool;
  }

  /** The error itself, unless it says that the server is away. */
  #explain(error: Error): Error {
    const { code = "", message } = error as Error & { readonly code?: string };
    const isAway = AWAY.test(code) || /^(?:Connection terminated|timeout)/i.test(message);
    if (!isAway) return error;
    this.#isReady = false;
    // Of a name with several addresses, as localhost is, Node tells no message.
    return connectionError(SERVER, message || code, { cause: error });
  }
}

/** Its tables are in a schema of their own; what an address says of other options is kept. */
function urlWithSchema(address: string): string {
  const url = new URL(address);
  const own = `-c search_path=${DEFAULT_SCHEMA}`;
  const options = url.searchParams.get("options");
  url.searchParams.set("options", options === null ? own : `${options} ${own}`);
  return url.href;
}

/** Only if it has to: it takes the right to create schemas, which a program need not have. */
async function migrate(client: PoolClient): Promise<void> {
  if ((await schemaVersion(client)) < LATEST_SCHEMA_VERSION) await runMigrations(client);
}

/** 0: there is none. @throws for a server, or a schema, that this version of BullMQ does not work with */
async function schemaVersion(client: PoolClient): Promise<number> {
  try {
    return await assertSchemaCompatibility(client);
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return 0;
    throw error;
  }
}

/** Where jobs wait. Connections are made under the empty context: nothing of a request outlives it. */
import { AsyncScope } from "@skein/context";
import { type BackendFactory, createPostgresBackend, createRedisBackend, type IQueueBackend } from "bullmq";
import type { Redis, RedisOptions } from "ioredis";
import { DatabaseClient } from "./database-client.ts";
import type { DatabasePool } from "./database-pool.ts";
import { JoinedWrites } from "./joined-writes.ts";
import { PostgresClient } from "./postgres-client.ts";

/** A connection, as BullMQ takes it. */
export interface StoreConnection {
  /** Of the type that the store's `backend` expects. */
  readonly client: never;
  readonly isReady: boolean;
  disconnect(): void;
}

/** A queue, as far as the store has to know it. */
interface NamedQueue {
  readonly name: string;
  toKey(part: string): string;
}

export interface Store {
  /** For each class of BullMQ. */
  readonly backend: BackendFactory<IQueueBackend, never>;
  /** How long whoever has jobs under way waits for an event before he looks whether there is one. */
  readonly eventsMs: number;
  /** How long it may take to answer, by default. */
  readonly connectTimeoutMs: number;
  /** Tries again for ever when the server is away, and says so by `onError`. */
  connect(onError: (error: Error) => void): StoreConnection;
  /** The id of the last event of a queue, or one that comes before the first. */
  lastEvent(client: never, queue: NamedQueue): Promise<string>;
}

/** What BullMQ needs: a command waits for the server, and is not given up after some retries. */
const settings = { maxRetriesPerRequest: null, replyMapping: "legacy" } as const;

export function redisStore(address: string | RedisOptions): Store {
  return {
    backend: createRedisBackend,
    eventsMs: 10_000,
    connectTimeoutMs: 10_000,
    connect(onError) {
      const redis = AsyncScope.root.run(() =>
        typeof address === "string"
          ? new JoinedWrites(address, settings)
          : new JoinedWrites({ ...address, ...settings }),
      );
      redis.on("error", onError);
      return {
        client: redis as never,
        get isReady() {
          return redis.status === "ready";
        },
        disconnect: () => redis.disconnect(),
      };
    },
    async lastEvent(client: Redis, queue) {
      const [last] = await client.xrevrange(queue.toKey("events"), "+", "-", "COUNT", 1);
      return last?.[0] ?? "0-0";
    },
  };
}

/** What the embedded database and a server have in common. */
const postgres = {
  backend: createPostgresBackend,
  // BullMQ misses a notification that comes between its look and its wait. Well below how long reports are waited for (remote-jobs.ts).
  eventsMs: 500,
  async lastEvent(client: DatabasePool, { name }: NamedQueue) {
    const { rows } = await client.query("SELECT COALESCE(MAX(id), 0) AS last FROM event WHERE queue = $1", [
      name,
    ]);
    const [row] = rows as [{ readonly last: unknown }];
    return String(row.last);
  },
};

/** A database in a process of this machine's own, which is started when it is needed; its data lies in the folder. */
export function embeddedStore(folder: string): Store {
  return {
    ...postgres,
    // The first start on a machine makes the database from scratch.
    connectTimeoutMs: 60_000,
    connect: (onError) => connectionOf(new DatabaseClient(folder, onError)),
  };
}

/** A schema of its own in a database of a Postgres server; it is made by the first that has the right to. */
export function postgresStore(address: string): Store {
  return {
    ...postgres,
    connectTimeoutMs: 10_000,
    connect: (onError) => connectionOf(new PostgresClient(address, onError)),
  };
}

function connectionOf(pool: DatabasePool): StoreConnection {
  return {
    client: pool as never,
    get isReady() {
      return pool.isReady;
    },
    disconnect: () => pool.disconnect(),
  };
}

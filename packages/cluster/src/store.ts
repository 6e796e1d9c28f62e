/** Where jobs wait. Connections are made under the empty context: nothing of a request outlives it. */
import { AsyncScope } from "@skein/context";
import { type BackendFactory, createPostgresBackend, createRedisBackend, type IQueueBackend } from "bullmq";
import type { RedisOptions } from "ioredis";
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

export interface Store {
  /** For each class of BullMQ. */
  readonly backend: BackendFactory<IQueueBackend, never>;
  /** How long it may take to answer, by default. */
  readonly connectTimeoutMs: number;
  /** Tries again for ever when the server is away, and says so by `onError`. */
  connect(onError: (error: Error) => void): StoreConnection;
}

/** What BullMQ needs: a command waits for the server, and is not given up after some retries. */
const settings = { maxRetriesPerRequest: null, replyMapping: "legacy" } as const;

export function redisStore(address: string | RedisOptions): Store {
  return {
    backend: createRedisBackend,
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
  };
}

/** A database in a process of this machine's own, which is started when it is needed; its data lies in the folder. */
export function embeddedStore(folder: string): Store {
  return {
    backend: createPostgresBackend,
    // The first start on a machine makes the database from scratch.
    connectTimeoutMs: 60_000,
    connect: (onError) => connectionOf(new DatabaseClient(folder, onError)),
  };
}

/** A schema of its own in a database of a Postgres server; it is made by the first that has the right to. */
export function postgresStore(address: string): Store {
  return {
    backend: createPostgresBackend,
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

/** Connections to the store. Each is made under the empty context: nothing of a request outlives it. */
import { AsyncScope } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import { Redis, type RedisOptions } from "ioredis";
import { ClusterUnavailableError } from "./errors.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

/** The address of a Redis or Valkey server, `redis://host:port/0`, or options of ioredis. */
export type ClusterConnection = string | URL | RedisOptions;

/** What BullMQ needs: a command waits for the server, and is not given up after some retries. */
const settings = { maxRetriesPerRequest: null, replyMapping: "legacy" } as const;

/** @throws TypeError for anything else, and when neither `connection` nor SKEIN_CLUSTER_URL is given. */
export function checkConnection(
  connection: ClusterConnection | undefined = process.env["SKEIN_CLUSTER_URL"],
): string | RedisOptions {
  if (typeof connection === "string" || connection instanceof URL) {
    const url = URL.parse(String(connection));
    if (url?.protocol === "redis:" || url?.protocol === "rediss:") return url.href;
  } else if (typeof connection === "object" && connection !== null && !Array.isArray(connection))
    return connection;
  throw argumentTypeError(
    "connection",
    "the address of a Redis server, such as redis://localhost:6379, or options of ioredis; SKEIN_CLUSTER_URL stands in for it",
    connection,
  );
}

/** Tries again for ever when the server is away, and says so by `onError`. */
export function connect(connection: string | RedisOptions, onError: (error: Error) => void): Redis {
  return AsyncScope.root.run(() => {
    const redis =
      typeof connection === "string"
        ? new Redis(connection, settings)
        : new Redis({ ...connection, ...settings });
    redis.on("error", onError);
    return redis;
  });
}

/** What `promise` comes to, if that is within the time. @throws ClusterUnavailableError */
export async function within<T>(promise: Promise<T>, timeoutMs: number, cause: () => unknown): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new ClusterUnavailableError(
          `The store did not answer within ${timeoutMs} ms (\`connectTimeoutMs\`). See that its server runs and that \`connection\` names it`,
          { cause: cause() },
        ),
      );
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Which store the options mean, and how long it may take to answer. */
import { argumentTypeError } from "@skein/context/errors";
import type { RedisOptions } from "ioredis";
import { ClusterUnavailableError } from "./errors.ts";
import { redisStore, type Store } from "./store.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

/** The address of a Redis or Valkey server, `redis://host:port/0`, or options of ioredis. */
export type ClusterConnection = string | URL | RedisOptions;

/** @throws TypeError for anything else, and when neither `connection` nor SKEIN_CLUSTER_URL is given. */
export function storeOf(connection: ClusterConnection | undefined = process.env["SKEIN_CLUSTER_URL"]): Store {
  if (typeof connection === "string" || connection instanceof URL) {
    const url = URL.parse(String(connection));
    if (url?.protocol === "redis:" || url?.protocol === "rediss:") return redisStore(url.href);
  } else if (typeof connection === "object" && connection !== null && !Array.isArray(connection))
    return redisStore(connection);
  throw argumentTypeError(
    "connection",
    "the address of a Redis server, such as redis://localhost:6379, or options of ioredis; SKEIN_CLUSTER_URL stands in for it",
    connection,
  );
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

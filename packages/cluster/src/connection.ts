/** Which store the options mean, and how long it may take to answer. */
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { RedisOptions } from "ioredis";
import { resolve } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { ClusterUnavailableError } from "./errors.ts";
import { Promise } from "./native-promise.ts";
import { embeddedStore, postgresStore, redisStore, type Store } from "./store.ts";
import { clearTimeout, now, setTimeout } from "./timers.ts";

const { process } = globalThis;

/**
 * The address of a server, with TLS or without: `redis:`, `rediss:`, `valkey:`, `valkeys:`, `postgres:` or `postgresql:`. Options of ioredis are
 * for Redis and Valkey. Or the `file:` URL of a folder: an embedded database keeps the jobs there, for the processes of this machine.
 */
export type ClusterConnection = string | URL | RedisOptions;

const expected =
  "the address of a Redis, Valkey or Postgres server, such as redis://localhost:6379, the file: URL of a folder, or options of ioredis";

/** Of the environment: what there is without the option. */
const VARIABLE = "SKEIN_CLUSTER_URL";

/** In the working directory. */
const EMBEDDED_FOLDER = ".skein/cluster";

/** Without an address, and without SKEIN_CLUSTER_URL, it is the embedded database. @throws TypeError for what is no address. */
export function storeOf(given: ClusterConnection | undefined): Store {
  const connection = given === undefined ? process.env[VARIABLE] : given;
  const name = given === undefined ? VARIABLE : "connection";
  if (connection === undefined) return embeddedStore(resolve(EMBEDDED_FOLDER));
  const address = addressOf(connection);
  if (address !== null) {
    const url = URL.parse(address);
    if (url !== null && /^(?:redis|valkey)s?:$/.test(url.protocol)) {
      checkKeyPrefix(url.searchParams.get("keyPrefix"), name);
      return redisStore(url.href.replace(/^valkey/, "redis"));
    }
    if (url !== null && /^postgres(?:ql)?:$/.test(url.protocol)) return postgresStore(url.href);
    if (url?.protocol === "file:") return embeddedStore(fileURLToPath(url));
    // Not all of it: it may have a password.
    throw argumentTypeError(name, expected, url === null ? "a text that is no URL" : url.protocol);
  } else if (typeof connection === "object" && connection !== null && !Array.isArray(connection)) {
    checkKeyPrefix((connection as RedisOptions).keyPrefix, name);
    return redisStore(connection as RedisOptions);
  }
  throw argumentTypeError(name, expected, connection);
}

/** Null: it is no address. A URL may also be of a class that a program has in place of Node's. */
function addressOf(connection: unknown): string | null {
  if (typeof connection === "string") return connection;
  if (typeof connection !== "object" || connection === null) return null;
  const { href } = connection as Partial<URL>;
  return typeof href === "string" ? href : null;
}

/** @throws RangeError: the queues cannot have one. */
function checkKeyPrefix(prefix: string | null | undefined, name: string): void {
  if (prefix)
    throw argumentRangeError(
      `${name}.keyPrefix`,
      "left out: the cluster's `name` keeps it apart from others",
      prefix,
    );
}

/** A timer that is later than this was held up. */
const STOOD_STILL_MS = 500;

/**
 * What `promise` comes to, if that is within the time.
 * @param waits Has, as long as that takes, what ends the wait before. @throws ClusterUnavailableError
 */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  cause: () => unknown,
  waits?: Set<() => void>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let giveUp: () => void;
  const late = new Promise<never>((_, reject) => {
    let startedAt = now();
    const onTime = (): void => {
      // This thread has stood still: the answer may be here, and was not looked at yet.
      if (now() - startedAt > timeoutMs + STOOD_STILL_MS) {
        startedAt = now();
        timer = setTimeout(onTime, timeoutMs);
        return;
      }
      reject(
        new ClusterUnavailableError(
          `The store did not answer within ${timeoutMs} ms (\`connectTimeoutMs\`). See that its server runs and that \`connection\` names it`,
          { cause: cause() },
        ),
      );
    };
    timer = setTimeout(onTime, timeoutMs);
    giveUp = () => reject(new ClusterUnavailableError("It was closed before the store answered"));
  });
  waits?.add(giveUp!);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    waits?.delete(giveUp!);
  }
}

/** Whether a command failed on its way, and not because of what the store said to it. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = "" } = error as NodeJS.ErrnoException;
  return /^E(?:CONN|PIPE|TIMEDOUT)/.test(code) || /connection (?:is )?close/i.test(error.message);
}

/** What jobs of a cluster can be told beside RunOptions. */
import { argumentTypeError, type OptionNames } from "@skein/context/errors";
import type { RunOptions } from "@skein/pool";
import type { OwnRunOptions } from "@skein/pool/engine";
import { MAX_BACKOFF_MS } from "./backoff.ts";
import { integer } from "./option-values.ts";

export interface ClusterRunOptions extends RunOptions {
  /**
   * How often the job runs again after its worker was lost, or a thread of it has died: it may have run to its end before, or not have begun. The
   * last time it runs alone in its process. 0 to 100. @default 2 for a lost worker, 0 for a thread
   */
  readonly retries?: number | undefined;
  /** How often the job runs, at most, until it does not throw. A job that was cancelled never runs again. 1 to 2^31 - 1. @default 1 */
  readonly attempts?: number | undefined;
  /** How long the first wait between two attempts is, in milliseconds; each further one is twice as long, up to an hour. 0: none. @default 1000 */
  readonly backoffMs?: number | undefined;
  /**
   * Names this call of the job, for whoever makes it again, after a restart, say: under a key that the store knows nothing runs a second time, and
   * the task is that of the first call. The store knows it while the job is open, and for `resultTtlMs` afterwards. A signal, a time limit
   * (`runTimeoutMs` as well) and `close` end the wait, not the job. Not as a default of a module. Up to 1000 characters. @default none
   */
  readonly key?: string | undefined;
}

/** The same, complete. */
export interface Delivery {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly key: string | undefined;
}

export const defaultDelivery: Delivery = { attempts: 1, backoffMs: 1000, key: undefined };

const MAX_KEY = 1000;
/** Postgres has them in 32 bits. */
const MAX_ATTEMPTS = 2 ** 31 - 1;

type Own = Pick<ClusterRunOptions, "attempts" | "backoffMs" | "key">;
const names: OptionNames<Own> = { attempts: true, backoffMs: true, key: true };

export const runOptions: OwnRunOptions = {
  names,
  resolve(options, defaults): Delivery {
    const { attempts, backoffMs, key } = options as ClusterRunOptions;
    const those = (defaults as Delivery | undefined) ?? defaultDelivery;
    return {
      attempts: attempts === undefined ? those.attempts : integer("attempts", attempts, 1, MAX_ATTEMPTS),
      backoffMs:
        backoffMs === undefined ? those.backoffMs : integer("backoffMs", backoffMs, 0, MAX_BACKOFF_MS),
      key: key === undefined ? undefined : checkKey(key),
    };
  },
};

/** @throws TypeError */
export function checkKey(key: unknown): string {
  if (typeof key !== "string" || key === "" || key.length > MAX_KEY)
    throw argumentTypeError("key", `a text of 1 to ${MAX_KEY} characters`, key);
  return key;
}

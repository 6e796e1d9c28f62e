/** Waiting with a token or a signal: what all operations that can be cancelled have in common. */

import { argumentTypeError } from "@skein/context/errors";
import { AbortListener } from "./abort-listener.ts";
import type { Abortable } from "./abort-listener.ts";
import { CancellationToken, CancellationTokenRegistration } from "./cancellation-token.ts";

/** What an operation takes as its `signal`. */
export type CancellationSignal = AbortSignal | CancellationToken;

export interface CancellationHook {
  remove(): void;
}

/** Tells `owner` when `by` fires, which it has not yet. */
export function hookCancellation(by: CancellationSignal, owner: Abortable): CancellationHook {
  if (by instanceof AbortSignal) return new AbortListener(by, owner);
  const hook = new TokenHook(by, owner);
  by.attach(hook);
  return hook;
}

export function isCanceled(by: CancellationSignal | undefined): boolean {
  if (by === undefined) return false;
  return by instanceof AbortSignal ? by.aborted : by.isCancellationRequested;
}

/**
 * The token or signal of an option; undefined for a token that can never be cancelled.
 *
 * @throws TypeError when `value` is something else.
 */
export function requireSignal(
  value: unknown,
  name: string = "options.signal",
): CancellationSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  if (value instanceof CancellationToken) return value.canBeCanceled ? value : undefined;
  throw argumentTypeError(name, "an AbortSignal or a CancellationToken", value);
}

class TokenHook extends CancellationTokenRegistration {
  readonly #owner: Abortable;

  constructor(token: CancellationToken, owner: Abortable) {
    super(token);
    this.#owner = owner;
  }

  run(): void {
    this.#owner.onAbort(this.token);
  }

  remove(): void {
    this.unregister();
  }
}

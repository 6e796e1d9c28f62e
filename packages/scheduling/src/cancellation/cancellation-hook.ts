/** Waiting with a token or a signal: what all operations that can be cancelled have in common. */

import { argumentTypeError } from "@skein/context/errors";
import { AbortListener } from "./abort-listener.ts";
import type { Abortable } from "./abort-listener.ts";
import { isAbortSignal } from "./abort-signal.ts";
import { CancellationToken, CancellationTokenRegistration, attachTo } from "./cancellation-token.ts";

/** What an operation takes as its `signal`. */
export type CancellationSignal = AbortSignal | CancellationToken;

export interface CancellationHook {
  remove(): void;
}

/**
 * Tells `owner` when `by` fires. The caller has asked whether it has. If it has fired since, in code of somebody's that ran in between (a
 * `setTimeout`, a listener to `newListener`, an async hook), `owner` is told before this returns: nothing fires twice.
 */
export function hookCancellation(by: CancellationSignal, owner: Abortable): CancellationHook {
  if (!CancellationToken.isToken(by)) return new AbortListener(by, owner);
  const hook = new TokenHook(by, owner);
  const attached = attachTo(by, hook);
  if (attached !== hook) return { remove: () => attached.unregister() };
  if (by.isCancellationRequested && hook.unregister()) owner.onAbort(by);
  return hook;
}

export function isCanceled(by: CancellationSignal | undefined): boolean {
  if (by === undefined) return false;
  return CancellationToken.isToken(by) ? by.isCancellationRequested : by.aborted;
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
  if (value === undefined || isAbortSignal(value)) return value;
  if (CancellationToken.isToken(value)) return value.canBeCanceled ? value : undefined;
  throw argumentTypeError(name, "an AbortSignal or a CancellationToken", value);
}

class TokenHook extends CancellationTokenRegistration {
  readonly #owner: Abortable;

  constructor(token: CancellationToken, owner: Abortable) {
    super(token);
    this.#owner = owner;
  }

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: TokenHook = new TokenHook(null as never, null as never);

  onCanceled(): void {
    this.#owner.onAbort(this.token);
  }

  remove(): void {
    this.unregister();
  }
}

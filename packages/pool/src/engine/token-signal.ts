/** The option `signal`: an AbortSignal, or a CancellationToken of any copy of `@skein/scheduling`. */
import { argumentTypeError } from "@skein/context/errors";
import {
  type CancellationSignal,
  type CancellationToken,
  type CancellationTokenRegistration,
  OperationCanceledError,
} from "@skein/scheduling";
import { type CancelSignal, ForgetfulSignal } from "../submit/cancel-signal.ts";

/**
 * A token as jobs see it: one object per token. It is registered with the token only while jobs listen, so nothing of them is left there,
 * and the token's source can be reset between them.
 */
class TokenSignal extends ForgetfulSignal implements CancelSignal {
  readonly #token: CancellationToken;
  readonly #registrations = new Map<() => void, CancellationTokenRegistration>();

  constructor(token: CancellationToken) {
    super();
    this.#token = token;
  }

  get aborted(): boolean {
    return this.#token.isCancellationRequested;
  }

  /** As that of `CancellationTokenSource.signal`. */
  get reason(): unknown {
    const { reason } = this.#token;
    if (reason !== undefined || !this.aborted) return reason;
    return new OperationCanceledError(undefined, { token: this.#token });
  }

  addEventListener(_type: "abort", listener: () => void): void {
    // It would be called at once.
    if (this.aborted) return;
    this.#registrations.get(listener)?.unregister();
    this.#registrations.set(listener, this.#token.unsafeRegister(listener));
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#registrations.get(listener)?.unregister();
    this.#registrations.delete(listener);
  }

  /** `tryReset` has dropped the registrations of a source that is used again. */
  renew(): void {
    for (const listener of this.#registrations.keys()) this.addEventListener("abort", listener);
  }
}

const signals = new WeakMap<CancellationToken, TokenSignal>();

/**
 * The signal of an option; null for a token that can never be cancelled, undefined for none.
 * @throws TypeError naming the option.
 */
export function signalOption(
  name: string,
  value: CancellationSignal | undefined,
): CancelSignal | null | undefined {
  if (value === undefined) return undefined;
  if (isToken(value)) return value.canBeCanceled ? signalOf(value) : null;
  if (isSignal(value)) return value;
  throw argumentTypeError(name, "an AbortSignal or a CancellationToken", value);
}

function signalOf(token: CancellationToken): TokenSignal {
  let signal = signals.get(token);
  if (signal === undefined) signals.set(token, (signal = new TokenSignal(token)));
  return signal;
}

function isToken(value: unknown): value is CancellationToken {
  if (typeof value !== "object" || value === null) return false;
  const { canBeCanceled, unsafeRegister } = value as Partial<CancellationToken>;
  return typeof canBeCanceled === "boolean" && typeof unsafeRegister === "function";
}

/** One of another realm, or of a program that has replaced the global class, as jsdom does. */
function isSignal(value: unknown): value is CancelSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener, removeEventListener } = value as Partial<CancelSignal>;
  return (
    typeof aborted === "boolean" &&
    typeof addEventListener === "function" &&
    typeof removeEventListener === "function"
  );
}

/** The way out: requests of `fetch` and undici that carry the current context. */
import { isArray } from "../intrinsics.ts";
import { allowedOrigins, type AllowedOriginsOptions, originOf } from "./allowed-origins.ts";
import { contextHeaders } from "./context-headers.ts";
import type { ContextHeadersOptions } from "./context-headers.ts";
import { type OptionNames, ownOptions } from "../own-options.ts";

type Fetch = typeof globalThis.fetch;

/** Options of {@link contextFetch} and {@link contextInterceptor}. */
export interface OutgoingOptions extends ContextHeadersOptions, AllowedOriginsOptions {}

const optionNames: OptionNames<OutgoingOptions> = { header: true, local: true, trace: true, origins: true };

/**
 * `fetch` with the headers of the current context. Headers that the caller gives take precedence. The receiver learns whatever
 * `contextHeaders` has: name your own services in `origins`, or wrap the `fetch` that calls only them.
 *
 * @throws TypeError if an option has the wrong type.
 * @example
 * const fetch = contextFetch({ origins: ["http://billing.internal"] });
 * await fetch("http://billing.internal/invoices");
 */
export function contextFetch(
  options?: OutgoingOptions,
  fetch: Fetch = (input, init) => globalThis.fetch(input, init),
): Fetch {
  const { allowed, headerOptions } = checked(options);
  return async (input, init) => {
    if (allowed !== null && !allowed.has(originOf(input instanceof Request ? input.url : input) ?? ""))
      return await fetch(input, init);
    const own = init?.headers ?? (input instanceof Request ? input.headers : undefined);
    const headers = new Headers(own);
    const added = contextHeaders(headerOptions);
    // A tracestate belongs to its traceparent.
    if (headers.has("traceparent")) delete added["tracestate"];
    for (const [name, value] of Object.entries(added)) if (!headers.has(name)) headers.set(name, value);
    return await fetch(input, { ...init, headers });
  };
}

/** Headers as undici takes them. */
type UndiciHeaders =
  | readonly string[]
  | Iterable<[string, string | readonly string[] | undefined]>
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | null;

interface DispatchOptions {
  readonly origin?: string | URL | undefined;
  readonly headers?: UndiciHeaders | undefined;
}

/**
 * An interceptor of undici: each request carries the context of the code that makes it, as with `contextFetch`. For `fetch`, `request` and
 * `stream` of undici, and through `setGlobalDispatcher` for everything that uses it: name your own services in `origins` there. The requests of
 * a Client or Pool, which has one origin, name none and count as allowed.
 *
 * @throws TypeError if an option has the wrong type.
 * @example
 * const billing = new Pool("http://billing.internal").compose(contextInterceptor());
 * await billing.request({ method: "GET", path: "/invoices" });
 */
export function contextInterceptor(
  options?: OutgoingOptions,
): <O, H>(dispatch: (options: O, handler: H) => boolean) => (options: O, handler: H) => boolean {
  const { allowed, headerOptions } = checked(options);
  return (dispatch) => (request, handler) => {
    const { headers, origin } = request as DispatchOptions;
    if (allowed !== null && origin !== undefined && !allowed.has(originOf(origin) ?? ""))
      return dispatch(request, handler);
    return dispatch({ ...request, headers: joined(headers ?? null, contextHeaders(headerOptions)) }, handler);
  };
}

function checked(options: OutgoingOptions | undefined): {
  readonly allowed: ReadonlySet<string> | null;
  readonly headerOptions: ContextHeadersOptions;
} {
  const { origins, ...headerOptions } = ownOptions(options, optionNames);
  // Wrong ones fail now.
  contextHeaders(headerOptions);
  return { allowed: allowedOrigins(origins), headerOptions };
}

/** Names and values in turn. */
function joined(own: UndiciHeaders, added: Readonly<Record<string, string>>): string[] {
  const pairs = pairsOf(own);
  const given = new Set(pairs.map(([name]) => name.toLowerCase()));
  for (const [name, value] of Object.entries(added)) {
    // A tracestate belongs to its traceparent.
    const isOfOther = name === "tracestate" && given.has("traceparent");
    if (!isOfOther && !given.has(name.toLowerCase())) pairs.push([name, value]);
  }
  return pairs.flat();
}

function pairsOf(headers: UndiciHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  if (headers === null) return pairs;
  if (isArray(headers) && typeof headers[0] === "string") {
    for (let at = 0; at < headers.length; at += 2) pairs.push([String(headers[at]), String(headers[at + 1])]);
    return pairs;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is left of UndiciHeaders.
  const entries = (Symbol.iterator in headers ? headers : Object.entries(headers)) as Iterable<
    [string, string | readonly string[] | undefined]
  >;
  for (const [name, value] of entries)
    for (const one of typeof value === "string" ? [value] : (value ?? [])) pairs.push([name, one]);
  return pairs;
}

/** The way out: requests of `fetch` and undici that carry the current context. */
import { AsyncLocal } from "../async-local.ts";
import { define, hasOwn, isArray } from "../intrinsics.ts";
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
export function contextFetch(options?: OutgoingOptions, fetch: Fetch = globalFetch()): Fetch {
  const { allowed, headerOptions } = checked(options);
  return async (input, init) => {
    const request = isRequest(input) ? input : null;
    if (allowed !== null && !allowed.has(originOf(request?.url ?? input) ?? ""))
      return await fetch(input, init);
    const own = init?.headers ?? request?.headers;
    const headers = new Headers(own);
    const added = contextHeaders(headerOptions);
    // A tracestate belongs to its traceparent.
    if (headers.has("traceparent")) delete added["tracestate"];
    for (const [name, value] of Object.entries(added)) if (!headers.has(name)) headers.set(name, value);
    return await fetch(input, initWith(headers, init ?? {}));
  };
}

/**
 * The global `fetch`, as it is at each call. The one of now, where that leads back to the caller: a program may make what `contextFetch` gave
 * its global `fetch`, and others may wrap that.
 */
function globalFetch(): Fetch {
  const before = globalThis.fetch;
  const isCalled = new AsyncLocal<boolean>();
  return (input, init) =>
    isCalled.value === true ? before(input, init) : isCalled.run(true, () => globalThis.fetch(input, init));
}

/** What `fetch` reads of its second argument, besides `headers`. */
const initNames: readonly string[] = [
  "body",
  "cache",
  "credentials",
  "dispatcher",
  "duplex",
  "integrity",
  "keepalive",
  "method",
  "mode",
  "priority",
  "redirect",
  "referrer",
  "referrerPolicy",
  "signal",
  "window",
];

/** A copy. `fetch` reads inherited members too: a Request, which can be an init as well, has no others. */
function initWith(headers: Headers, init: RequestInit): RequestInit {
  const copy: RequestInit = { ...init, headers };
  for (const name of initNames) {
    const value = hasOwn(copy, name) ? undefined : (init as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) define(copy, name, value, true);
  }
  return copy;
}

/** A `fetch` that is not the global one has its own class of requests. */
function isRequest(input: Parameters<Fetch>[0]): input is Request {
  return typeof input === "object" && input !== null && "url" in input && "headers" in input;
}

/** Headers as undici takes them. Of a value it also says whether it can be one. */
type UndiciHeaders =
  | readonly unknown[]
  | Iterable<[string, unknown]>
  | Readonly<Record<string, unknown>>
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
    const { headers = null, origin } = request as DispatchOptions;
    if (allowed !== null && origin !== undefined && !allowed.has(originOf(origin) ?? ""))
      return dispatch(request, handler);
    // undici says what is wrong with it.
    if (!isWhole(headers)) return dispatch(request, handler);
    return dispatch(withHeaders(request, joined(headers, contextHeaders(headerOptions))), handler);
  };
}

/** A copy. undici reads inherited members too, but its own interceptors pass on only what a spread finds. */
function withHeaders<O>(request: O, headers: readonly unknown[]): O {
  const copy = { ...request, headers };
  for (const name in request) if (!hasOwn(copy, name)) define(copy, name, request[name], true);
  return copy;
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

/** Names and values in turn. Those that are given stay as they are. */
function joined(own: UndiciHeaders, added: Readonly<Record<string, string>>): unknown[] {
  const list = listOf(own);
  const given = new Set<string>();
  for (let at = 0; at < list.length; at += 2) given.add(String(list[at]).toLowerCase());
  for (const [name, value] of Object.entries(added)) {
    // A tracestate belongs to its traceparent.
    const isOfOther = name === "tracestate" && given.has("traceparent");
    if (!isOfOther && !given.has(name.toLowerCase())) list.push(name, value);
  }
  return list;
}

function isWhole(headers: UndiciHeaders): boolean {
  return typeof headers === "object" && !(isArray(headers) && headers.length % 2 !== 0);
}

function listOf(headers: UndiciHeaders): unknown[] {
  if (headers === null) return [];
  if (isArray(headers)) return [...headers];
  const entries = Symbol.iterator in headers ? headers : Object.entries(headers);
  return [...entries].flat();
}

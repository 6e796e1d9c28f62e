import { AsyncScope } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import type * as Comlink from "comlink";
import { proxyOf, type Whereabouts, whereaboutsOf } from "./call-endpoint.ts";
import type { CallOptions } from "./call-options.ts";
import { Calls } from "./calls.ts";
import { doors, proxyOver } from "./doors.ts";
import { type Endpoint, linkOf } from "./link.ts";

/** The proxy of what is exposed elsewhere as `T`: Comlink's, and `await using` releases it. */
export type Remote<T> = Comlink.Remote<T> & AsyncDisposable;

/**
 * Comlink's `wrap`: the proxy of what is exposed at the other end.
 *
 * - Each call, property read, assignment and construction takes the context of its caller along, and so do callbacks on their way back.
 * - Functions, AbortSignals and what `proxy` has marked may lie anywhere in plain objects and arrays among the arguments, and are not copied.
 * - A call that is under way when the thread ends, or is made afterwards, rejects with ThreadCrashedError. Of endpoints that Comlink's adapters
 *   give nothing is told: pass the Worker or MessagePort itself.
 * - What the other side throws arrives with class, code, cause and properties; see `registerError` of `@skein/pool`.
 *
 * The other side may have plain Comlink; then nothing flows, and errors are Comlink's.
 *
 * @param target What `typeof` and `in` see in place of the proxy. @default a function
 * @throws TypeError when `endpoint` is none.
 * @see https://github.com/GoogleChromeLabs/comlink#comlinkwrapendpoint-and-comlinkexposevalue-endpoint-allowedorigins
 * @example
 * const parser = wrap<Parser>(new Worker(new URL("./parser.ts", import.meta.url)));
 * const tree = await parser.parse(text);
 * await release(parser);
 */
export function wrap<T>(endpoint: Endpoint, target?: object): Remote<T> {
  const link = linkOf(endpoint);
  const calls = AsyncScope.root.run(() => new Calls(link, doors));
  return proxyOver(calls, target) as Remote<T>;
}

/**
 * A proxy of the same object whose calls, and those of all that is read from it, have these options. It keeps those of the proxy that it is made
 * from, but for what is given here. It needs no release of its own.
 *
 * @param proxy What `wrap`, `spawn` or this function gave, or a property or a result of it.
 * @throws TypeError for another proxy. TypeError or RangeError for a bad option, naming it.
 * @example
 * const tree = await withOptions(parser, { signal, timeoutMs: 500 }).parse(text);
 */
export function withOptions<P extends Comlink.ProxyMethods>(proxy: P, options: CallOptions): P {
  const { endpoint, path } = requireOurs(proxy);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a proxy of the same object
  return proxyOf(endpoint.derive(path, options, proxy)) as P;
}

/**
 * Releases the object: takes no more calls, waits for those under way, then tells the other side. `proxy[Symbol.asyncDispose]()` does the same,
 * Comlink's `proxy[releaseProxy]()` too, but does not wait. A proxy that is collected releases its object by itself. An object of `spawn` ends:
 * its `finalizer` and its disposer have run.
 *
 * @returns resolves when the other side has answered, or is gone. Every call returns when the first does.
 * @throws TypeError for another proxy.
 */
export function release(proxy: Comlink.ProxyMethods): Promise<void> {
  return requireOurs(proxy).endpoint.release();
}

function requireOurs(proxy: unknown): Whereabouts {
  const whereabouts = whereaboutsOf(proxy);
  if (whereabouts === null) throw argumentTypeError("proxy", "a proxy of @skein/comlink", proxy);
  return whereabouts;
}

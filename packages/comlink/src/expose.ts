import { parentPort } from "node:worker_threads";
import { doors } from "./doors.ts";
import { type AllowedOrigins, Exposed } from "./exposed.ts";
import { type Endpoint, linkOf } from "./link.ts";

/**
 * Comlink's `expose`: what is at `endpoint` can call `object`. Each call runs in the context of its caller: the AsyncLocals and registered storages
 * that flow to threads. What it throws arrives there with class, code, cause and properties.
 *
 * Callers may have plain Comlink; then nothing flows.
 *
 * @param endpoint @default `parentPort` on a worker thread, elsewhere the global object
 * @param allowedOrigins Which windows may call. @default all
 * @throws TypeError when `endpoint` is none.
 * @see https://github.com/GoogleChromeLabs/comlink#comlinkwrapendpoint-and-comlinkexposevalue-endpoint-allowedorigins
 * @example
 * expose({ parse: (text: string) => grammar.parse(text) });
 */
export function expose(
  object: unknown,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is none is refused below
  endpoint: Endpoint = parentPort ?? (globalThis as unknown as Endpoint),
  allowedOrigins?: AllowedOrigins,
): void {
  void new Exposed(object, linkOf(endpoint), doors, { allowedOrigins });
}

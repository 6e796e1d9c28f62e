/** What a request brings, on any server: its id, its place in a trace, its baggage. Set in the current context. */
import type { AsyncLocal } from "../async-local.ts";
import { argumentTypeError } from "../errors.ts";
import { WeakMap } from "../intrinsics.ts";
import { ownOptions } from "../own-options.ts";
import type { OptionNames } from "../own-options.ts";
import { baggage as baggageHeader } from "./baggage.ts";
import { requireIdOptions } from "./id-options.ts";
import { correlationId, currentBaggage, currentTraceparent, currentTracestate } from "./request-locals.ts";
import { traceparent as traceparentHeader } from "./traceparent.ts";
import { tracestate as tracestateHeader } from "./tracestate.ts";

const { process } = globalThis;

const getBuiltinModule = process.getBuiltinModule.bind(process);

/** Options of {@link correlation}. */
export interface CorrelationOptions {
  /** The header that brings the id, and takes it back. @default 'x-request-id' */
  header?: string | undefined;
  /** The local that holds the id. @default correlationId */
  local?: AsyncLocal<string> | undefined;
  /** Whether to take `baggage` from the request. Off, because anybody can send it. @default false */
  baggage?: boolean | undefined;
}

/** One header of a request by its lower-case name; undefined where it is missing or came more than once. */
type ReadHeader = (name: string) => string | undefined;

export interface ReceivedIds {
  /** The header that takes the id back. */
  readonly header: string;
  /**
   * Sets the locals in the current context.
   * @param requests What stands for the request on its server: by any of these a second middleware finds the id of the first.
   * @returns the id.
   */
  readonly take: (read: ReadHeader, ...requests: readonly object[]) => string;
}

/** An id that a request has already. Apps inside apps each have a middleware. */
interface TakenId {
  readonly header: string;
  readonly local: AsyncLocal<string>;
  readonly id: string;
}

const taken = new WeakMap<object, TakenId[]>();

const optionNames: OptionNames<CorrelationOptions> = { header: true, local: true, baggage: true };

const idShape = /^[A-Za-z0-9._~:@/+=-]{1,128}$/;

/** @throws TypeError if an option has the wrong type. */
export function receivedIds(options: CorrelationOptions | undefined): ReceivedIds {
  const {
    header = "x-request-id",
    local = correlationId,
    baggage = false,
  } = ownOptions(options, optionNames);
  requireIdOptions(header, local);
  if (typeof baggage !== "boolean") throw argumentTypeError("options.baggage", "a boolean", baggage);
  const headerKey = header.toLowerCase();
  // Here, not as an import: each thread of a pool would load it, a megabyte.
  const { randomUUID } = getBuiltinModule("node:crypto");
  return {
    header,
    take(read, ...requests) {
      const ids = takenIds(requests);
      let id = ids.find((other) => other.header === headerKey)?.id;
      if (id === undefined) {
        const received = read(headerKey);
        if (received !== undefined && idShape.test(received)) id = received;
        else id = ids.find((other) => other.local === local)?.id ?? randomUUID();
        ids.push({ header: headerKey, local, id });
      }
      local.value = id;
      takeTrace(read);
      const carried = baggage ? baggageHeader.parse(read("baggage") ?? "") : [];
      currentBaggage.value = carried.length === 0 ? undefined : carried;
      return id;
    },
  };
}

/** The ids of a request, which is known by each of these from now on. */
function takenIds(requests: readonly object[]): TakenId[] {
  let ids: TakenId[] | undefined;
  for (const request of requests) ids ??= taken.get(request);
  ids ??= [];
  for (const request of requests) taken.set(request, ids);
  return ids;
}

/** Sets or clears: the context in which the server was started must not pass for the request's. */
function takeTrace(read: ReadHeader): void {
  const parent = traceparentHeader.parse(read("traceparent") ?? "");
  const states = parent === null ? null : tracestateHeader.parse(read("tracestate") ?? "");
  currentTraceparent.value = parent ?? undefined;
  currentTracestate.value = states === null || states.length === 0 ? undefined : states;
}

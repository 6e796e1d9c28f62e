import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AsyncLocal } from "../async-local.ts";
import { argumentTypeError } from "../errors.ts";
import { ExecutionContext } from "../execution-context.ts";
import { hasOwn } from "../intrinsics.ts";
import { ownOptions } from "../own-options.ts";
import type { OptionNames } from "../own-options.ts";
import { baggage as baggageHeader } from "./baggage.ts";
import { emitInScope } from "./emit-in-scope.ts";
import { requireIdOptions } from "./id-options.ts";
import { correlationId, currentBaggage, currentTraceparent, currentTracestate } from "./request-locals.ts";
import { traceparent as traceparentHeader } from "./traceparent.ts";
import { tracestate as tracestateHeader } from "./tracestate.ts";

/** Options of {@link correlation}. */
export interface CorrelationOptions {
  /** The header that brings the id, and takes it back. @default 'x-request-id' */
  header?: string | undefined;
  /** The local that holds the id. @default correlationId */
  local?: AsyncLocal<string> | undefined;
  /** Whether to take `baggage` from the request. Off, because anybody can send it. @default false */
  baggage?: boolean | undefined;
}

/** A request handler of node:http, connect or express. What `next` returns is passed on. */
export type CorrelationMiddleware = <R>(
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => R,
) => R;

const optionNames: OptionNames<CorrelationOptions> = { header: true, local: true, baggage: true };

const idShape = /^[A-Za-z0-9._~:@/+=-]{1,128}$/;

/**
 * Runs each request in a context of its own, with a correlation id: the one from the header if it is 1–128 characters
 * of `A-Za-z0-9._~:@/+=-`, else a new UUID. The response carries it too. A valid `traceparent`, with its `tracestate`,
 * is taken from the request; an invalid one is ignored.
 *
 * Listeners of the request and the response run in that context too, also for a body that arrives late: Node would call
 * them in an empty one. An event that is emitted from inside the context keeps the context of its emitter.
 *
 * @throws TypeError if an option has the wrong type.
 * @example
 * const withCorrelation = correlation();
 * createServer((req, res) => withCorrelation(req, res, () => handle(req, res)));
 */
export function correlation(options?: CorrelationOptions): CorrelationMiddleware {
  const {
    header = "x-request-id",
    local = correlationId,
    baggage = false,
  } = ownOptions(options, optionNames);
  requireIdOptions(header, local);
  if (typeof baggage !== "boolean") throw argumentTypeError("options.baggage", "a boolean", baggage);
  const headerKey = header.toLowerCase();

  return (req, res, next) =>
    ExecutionContext.isolate(() => {
      const received = headerOf(req, headerKey);
      const id = received !== undefined && idShape.test(received) ? received : randomUUID();
      local.value = id;
      takeTrace(req);
      const carried = baggage ? baggageHeader.parse(headerOf(req, "baggage") ?? "") : [];
      currentBaggage.value = carried.length === 0 ? undefined : carried;

      if (!res.headersSent) res.setHeader(header, id);
      emitInScope(req, res);
      return next();
    });
}

/** Sets or clears: the context in which the server was started must not pass for the request's. */
function takeTrace(req: IncomingMessage): void {
  const parent = traceparentHeader.parse(headerOf(req, "traceparent") ?? "");
  const states = parent === null ? null : tracestateHeader.parse(headerOf(req, "tracestate") ?? "");
  currentTraceparent.value = parent ?? undefined;
  currentTracestate.value = states === null || states.length === 0 ? undefined : states;
}

/** A header that came more than once is joined by commas, or an array: then it is no id and no traceparent. */
function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = hasOwn(req.headers, name) ? req.headers[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { ExecutionContext } from "../execution-context.ts";
import { hasOwn } from "../intrinsics.ts";
import { emitInScope } from "./emit-in-scope.ts";
import { receivedIds } from "./received-ids.ts";
import type { CorrelationOptions } from "./received-ids.ts";

/** A request handler of node:http, connect or express. What `next` returns is passed on. */
export type CorrelationMiddleware = <R>(
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => R,
) => R;

/**
 * Runs each request in a context of its own, with a correlation id: the one from the header if it is 1–128 characters
 * of `A-Za-z0-9._~:@/+=-`, else a new UUID. The response carries it too. A valid `traceparent`, with its `tracestate`,
 * is taken from the request; an invalid one is ignored.
 *
 * Listeners of the request and the response run in that context too, also for a body that arrives late: Node would call
 * them in an empty one. An event that is emitted from inside the context keeps the context of its emitter.
 *
 * A second one for the same request, as an app inside an app has it, keeps the id of the first; listeners then run in the inner context.
 *
 * @throws TypeError if an option has the wrong type.
 * @example
 * const withCorrelation = correlation();
 * createServer((req, res) => withCorrelation(req, res, () => handle(req, res)));
 */
export function correlation(options?: CorrelationOptions): CorrelationMiddleware {
  const { header, take } = receivedIds(options);
  return (req, res, next) =>
    ExecutionContext.isolate(() => {
      const id = take((name) => headerOf(req, name), req);
      if (!res.headersSent) res.setHeader(header, id);
      emitInScope(req, res);
      return next();
    });
}

/** A header that came more than once is joined by commas, or an array: then it is no id and no traceparent. */
function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = hasOwn(req.headers, name) ? req.headers[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

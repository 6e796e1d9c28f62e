/** `@skein/context/koa` */
import type { IncomingMessage, ServerResponse } from "node:http";
import { correlation as correlationOf } from "./correlation.ts";
import type { CorrelationOptions } from "./received-ids.ts";

/** The part of a Koa context that the middleware uses. */
export interface KoaRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/**
 * Koa middleware: as `correlation()` of `@skein/context/http`, for all middleware behind it. Koa removes the headers of a response when a
 * middleware throws, the id too.
 *
 * @throws TypeError if an option has the wrong type.
 * @example
 * app.use(correlation());
 */
export function correlation(
  options?: CorrelationOptions,
): (context: KoaRequest, next: () => Promise<unknown>) => Promise<unknown> {
  const withCorrelation = correlationOf(options);
  return ({ req, res }, next) => withCorrelation(req, res, next);
}

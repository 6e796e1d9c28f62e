/** `@skein/context/hono` */
import { ExecutionContext } from "../execution-context.ts";
import { receivedIds } from "./received-ids.ts";
import type { CorrelationOptions } from "./received-ids.ts";

/** The part of a Hono context that the middleware uses. */
export interface HonoRequest {
  readonly req: { header(name: string): string | undefined; readonly raw?: object };
  header(name: string, value: string): void;
}

/**
 * Hono middleware, on Node.js and on every other runtime of Hono that has AsyncLocalStorage: as `correlation()` of
 * `@skein/context/http`, for all middleware and handlers behind it.
 *
 * @throws TypeError if an option has the wrong type.
 * @example
 * app.use(correlation());
 */
export function correlation(
  options?: CorrelationOptions,
): (context: HonoRequest, next: () => Promise<void>) => Promise<void> {
  const { header, take } = receivedIds(options);
  return (context, next) =>
    ExecutionContext.isolate(async () => {
      const { raw } = context.req;
      // A body limit gives the context another request, an app that hands its request on makes another context.
      const requests = raw === undefined ? [context] : [context, raw];
      const id = take((name) => context.req.header(name), ...requests);
      await next();
      context.header(header, id);
    });
}

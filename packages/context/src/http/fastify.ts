/** `@skein/context/fastify` */
import type { IncomingMessage, ServerResponse } from "node:http";
import { correlation } from "./correlation.ts";
import type { CorrelationOptions } from "./received-ids.ts";

/** The part of a FastifyInstance that the plugin uses. */
export interface FastifyHooks {
  addHook(
    name: "onRequest",
    hook: (
      request: { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse },
      done: () => void,
    ) => void,
  ): unknown;
}

/**
 * A Fastify plugin: as `correlation()` of `@skein/context/http`, for every route of the instance that registers it, in all hooks from
 * `onRequest` on, in handlers, and in serializers. Register it before plugins whose hooks need the context.
 *
 * @throws TypeError, from `register` when it is awaited, if an option has the wrong type.
 * @example
 * await app.register(correlation, { baggage: true });
 */
const plugin = (app: FastifyHooks, options: CorrelationOptions, done: (error?: Error) => void): void => {
  try {
    const withCorrelation = correlation(options);
    app.addHook("onRequest", (request, reply, next) => withCorrelation(request.raw, reply.raw, next));
  } catch (error) {
    // Fastify would take what a plugin throws for an uncaught exception.
    done(error as Error);
    return;
  }
  done();
};
/** Fastify then gives the plugin no scope of its own. */
const unscoped: unique symbol = Symbol.for("skip-override");

const fastifyCorrelation: typeof plugin & { readonly [unscoped]: true } = Object.assign(plugin, {
  [unscoped]: true as const,
});
export { fastifyCorrelation as correlation };

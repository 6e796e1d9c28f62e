/** `@skein/context/nest` */
import { correlation } from "./correlation.ts";
import type { CorrelationMiddleware } from "./correlation.ts";
import type { CorrelationOptions } from "./received-ids.ts";

/** The part of Nest's MiddlewareConsumer that the module uses. */
export interface NestConsumer {
  apply(middleware: CorrelationMiddleware): { forRoutes(path: string): unknown };
}

/** What Nest calls a dynamic module. */
export interface NestModule {
  readonly module: new () => { configure(consumer: NestConsumer): void };
}

/** Nest 11 and later, on its adapters for Express and Fastify. */
export const CorrelationModule: {
  /**
   * Has every route run as in `correlation()` of `@skein/context/http`: guards, interceptors, pipes and handlers too.
   *
   * @throws TypeError if an option has the wrong type.
   * @example
   * @Module({ imports: [CorrelationModule.forRoot()] })
   * class AppModule {}
   */
  forRoot(options?: CorrelationOptions): NestModule;
} = {
  forRoot(options) {
    const middleware = correlation(options);
    return {
      module: class CorrelationModule {
        configure(consumer: NestConsumer): void {
          consumer.apply(middleware).forRoutes("{*path}");
        }
      },
    };
  },
};

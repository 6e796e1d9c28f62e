/** The service: one route that answers at once, one that needs the CPU, both tell the correlation id that they have seen. */
import { correlation, correlationId } from "@skein/context/http";
import { type FastifyInstance, type FastifyRequest, fastify } from "fastify";
import type { HeavyWork } from "./heavy-work.ts";

/** What both routes reply. */
export interface Reply {
  readonly id: string | undefined;
  readonly digest?: number;
  readonly items?: readonly {
    readonly name: string;
    readonly price: number;
    readonly tags: readonly string[];
  }[];
}

const ITEMS = 12;

export function buildApp(work: HeavyWork, steps: number): FastifyInstance {
  const app = fastify();
  if (work.carriesContext) {
    const withCorrelation = correlation();
    app.addHook("onRequest", (request, reply, done) => withCorrelation(request.raw, reply.raw, () => done()));
  }
  const idOf = work.carriesContext ? (): string | undefined => correlationId.value : headerOf;

  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits them.
  app.get<{ Params: { page: string } }>("/light/:page", async (request): Promise<Reply> => {
    // A handler waits for something before it answers: a cache, a database.
    await Promise.resolve();
    return { id: idOf(request), items: itemsOf(Number(request.params.page)) };
  });
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits them.
  app.get<{ Params: { seed: string } }>("/heavy/:seed", async (request): Promise<Reply> => {
    return work.run(Number(request.params.seed), steps, headerOf(request));
  });
  app.addHook("onClose", async () => work.close());
  return app;
}

function headerOf(request: FastifyRequest): string {
  return String(request.headers["x-request-id"]);
}

function itemsOf(page: number): Reply["items"] & {} {
  return Array.from({ length: ITEMS }, (_, i) => ({
    name: `article ${page * ITEMS + i}`,
    price: ((page * 31 + i * 17) % 900) / 10,
    tags: ["new", "in stock", `shelf ${i}`],
  }));
}

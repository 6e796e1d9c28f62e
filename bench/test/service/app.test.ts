import { afterEach, expect, it } from "vitest";
import type { FastifyInstance } from "fastify";
import { buildApp } from "../../src/service/app.ts";
import { heavyWork } from "../../src/service/heavy-work.ts";
import { stretch } from "../../src/service/stretch.ts";
import { noPool, piscinaDefault, skeinVariants } from "../../src/service/variants.ts";

const STEPS = 1000;
let app: FastifyInstance | undefined;

afterEach(async () => {
  await app?.close();
});

for (const variant of [noPool, piscinaDefault, ...skeinVariants]) {
  it(`${variant.name}: every reply has its own request's id, also when many are under way`, async () => {
    const service = (app = buildApp(heavyWork(variant.place), STEPS));
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        service.inject({
          url: i % 2 === 0 ? `/light/${i}` : `/heavy/${i}`,
          headers: { "x-request-id": `r.${i}` },
        }),
      ),
    );
    const bodies = replies.map((reply) => reply.json<{ id: string; digest?: number }>());
    expect(bodies.map(({ id }) => id)).toEqual(bodies.map((_, i) => `r.${i}`));
    expect(bodies.map(({ digest }) => digest)).toEqual(
      bodies.map((_, i) => (i % 2 === 0 ? undefined : stretch(i, STEPS))),
    );
  });
}

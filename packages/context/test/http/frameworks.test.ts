/** Each entry point on the real framework, its server and a real request whose body arrives late. */
import "reflect-metadata";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { serve } from "@hono/node-server";
import { Controller, Module, Post, type Type } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { Agent, fetch as undiciFetch, Request as UndiciRequest, Pool, request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { correlation as forFastify } from "@skein/context/fastify";
import { correlation as forHono } from "@skein/context/hono";
import {
  contextFetch,
  contextHeaders,
  contextInterceptor,
  correlation,
  correlationId,
  currentBaggage,
  currentTraceparent,
  currentTracestate,
  type CorrelationOptions,
} from "@skein/context/http";
import { correlation as forKoa } from "@skein/context/koa";
import { CorrelationModule } from "@skein/context/nest";
import { closeServers, get, listen, open, reply } from "./local-server.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await closeServers();
});

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What handlers answer: what they see at once, and behind an await. */
async function seen(): Promise<unknown[]> {
  const first = correlationId.value;
  await later();
  return [first, correlationId.value, currentBaggage.value?.[0]?.value ?? null];
}

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Starts a server whose POST / reads the body as the framework does, and answers what it sees. @returns its port. */
const frameworks: Readonly<Record<string, (options?: CorrelationOptions) => Promise<number>>> = {
  async express(options) {
    const app = express();
    app.use(correlation(options), express.text({ type: "*/*" }));
    app.post("/", async (_, res) => void res.json(await seen()));
    const server = app.listen(0, "127.0.0.1");
    closing.push(() => server.close());
    return await portOf(server);
  },

  async fastify(options) {
    const app = fastify();
    await app.register(forFastify, { ...options });
    app.route({ method: "POST", url: "/", handler: seen });
    closing.push(() => app.close());
    await app.listen({ port: 0, host: "127.0.0.1" });
    return await portOf(app.server);
  },

  async hono(options) {
    const app = new Hono();
    app.use(forHono(options));
    app.post("/", async (context) => {
      await context.req.text();
      return context.json(await seen());
    });
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
    closing.push(() => server.close());
    return await portOf(server);
  },

  async koa(options) {
    const app = new Koa();
    app.use(forKoa(options));
    app.use(async (context) => {
      for await (const _ of context.req) expect(correlationId.value).toBeDefined();
      context.body = await seen();
    });
    const server = app.listen(0, "127.0.0.1");
    closing.push(() => server.close());
    return await portOf(server);
  },

  async nest(options) {
    const app = await NestFactory.create(nestModule(options), { logger: false });
    closing.push(() => app.close());
    await app.listen(0, "127.0.0.1");
    return await portOf(app.getHttpServer() as Server);
  },

  async "nest on fastify"(options) {
    const app = await NestFactory.create<NestFastifyApplication>(nestModule(options), new FastifyAdapter(), {
      logger: false,
    });
    closing.push(() => app.close());
    await app.listen(0, "127.0.0.1");
    return await portOf(app.getHttpServer());
  },
};

function nestModule(options: CorrelationOptions | undefined): Type {
  class Root {
    see(): Promise<unknown[]> {
      return seen();
    }
  }
  // Decorators are not erasable: they are called by hand.
  Post()(Root.prototype, "see", Object.getOwnPropertyDescriptor(Root.prototype, "see")!);
  Controller()(Root);
  class App {
    readonly name = "app";
  }
  Module({ imports: [CorrelationModule.forRoot(options)], controllers: [Root as Type] })(App);
  return App;
}

describe.each(Object.entries(frameworks))("%s", (_, start) => {
  it("runs requests in contexts of their own, with a body that arrives late, and echoes the id", async () => {
    const port = await start({ baggage: true });
    const ask = async (id: string): Promise<void> => {
      const sent = { "x-request-id": id, baggage: `user=${id}`, "content-type": "text/plain" };
      const { req, answer } = open(port, { method: "POST", agent: false, headers: sent });
      req.write("first ");
      await later();
      req.end("second");
      const { headers, body } = await answer;
      expect(body).toEqual([id, id, id]);
      expect(headers["x-request-id"]).toBe(id);
    };
    await Promise.all(["one", "two", "three"].map(ask));
    expect(correlationId.value).toBeUndefined();
  });

  it("refuses a wrong option", async () => {
    const wrong = { header: "a b" };
    await expect(start(wrong)).rejects.toMatchObject({ code: "ERR_SKEIN_INVALID_ARG_TYPE" });
  });
});

describe("hono, an app inside an app", () => {
  const idsOf = async (app: Hono): Promise<unknown[]> => {
    const answer = await app.request("/sub", { method: "POST" });
    return [answer.headers.get("x-request-id"), await answer.text()];
  };
  const sub = (): Hono => new Hono().use(forHono()).all("*", (context) => context.text(correlationId.value!));

  it.each<[string, (app: Hono) => Hono]>([
    ["routed", (app) => app.route("/sub", sub())],
    ["given the request", (app) => app.all("/sub", (context) => sub().fetch(context.req.raw))],
    [
      "behind one that changes the request",
      (app) =>
        app
          .use(async (context, next) => {
            context.req.raw = new Request(context.req.raw);
            await next();
          })
          .route("/sub", sub()),
    ],
  ])("%s: the id in the response is that of the handler", async (_, addTo) => {
    const [header, seen] = await idsOf(addTo(new Hono().use(forHono())));
    expect(header).toBe(seen);
  });
});

describe("the way out", () => {
  const trace = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };

  it("contextHeaders({ trace: false }) has the id alone", async () => {
    const withCorrelation = correlation();
    const port = await listen((req, res) =>
      withCorrelation(req, res, () => reply(res, [contextHeaders(), contextHeaders({ trace: false })])),
    );
    const { body } = await get(port, { ...trace, "x-request-id": "r" });
    expect(body).toEqual([{ "x-request-id": "r", ...trace }, { "x-request-id": "r" }]);
    expect(() => contextHeaders({ trace: 1 as never })).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });

  const dispatcher = (): Agent => {
    const agent = new Agent();
    closing.push(() => agent.close());
    return agent;
  };
  const ways: Readonly<Record<string, (url: string, headers: Record<string, string>) => Promise<unknown>>> = {
    "contextFetch of the global fetch": async (url, headers) =>
      await (await contextFetch()(url, { headers })).json(),
    "contextFetch of a Request": async (url, headers) =>
      await (await contextFetch()(new Request(url, { headers }))).json(),
    "contextFetch of undici's fetch and its Request": async (url, headers) =>
      await (await contextFetch({}, undiciFetch as never)(new UndiciRequest(url, { headers }))).json(),
    "undici's request": async (url, headers) =>
      await (
        await request(url, { headers, dispatcher: dispatcher().compose(contextInterceptor()) })
      ).body.json(),
    "undici's request, headers in turn": async (url, headers) =>
      await (
        await request(url, {
          headers: Object.entries(headers).flat(),
          dispatcher: dispatcher().compose(contextInterceptor()),
        })
      ).body.json(),
    "undici's fetch": async (url, headers) =>
      await (
        await undiciFetch(url, { headers, dispatcher: dispatcher().compose(contextInterceptor()) })
      ).json(),
  };

  it.each(Object.entries(ways))(
    "%s sends the caller's context, and his own headers first",
    async (_, send) => {
      const port = await listen((req, res) =>
        reply(res, [req.headers["x-request-id"], req.headers["x-own"]]),
      );
      const url = `http://127.0.0.1:${port}/`;
      const answers = await Promise.all(
        ["a", "b"].map((id) => correlationId.run(id, () => send(url, { "x-own": "1" }))),
      );
      expect(answers).toEqual([
        ["a", "1"],
        ["b", "1"],
      ]);
      expect(await correlationId.run("a", () => send(url, { "X-Request-ID": "given" }))).toEqual([
        "given",
        null,
      ]);
      expect(await send(url, {})).toEqual([null, null]);
    },
  );

  it.each(Object.entries(ways))(
    "%s sends no tracestate of another trace beside the caller's own traceparent",
    async (_, send) => {
      const port = await listen((req, res) =>
        reply(res, [req.headers["traceparent"], req.headers["tracestate"]]),
      );
      const url = `http://127.0.0.1:${port}/`;
      const ours = { traceId: "1".repeat(32), parentId: "2".repeat(16), sampled: true, random: false };
      await currentTraceparent.run(ours, () =>
        currentTracestate.run([{ key: "ours", value: "1" }], async () => {
          expect(await send(url, {})).toEqual([`00-${ours.traceId}-${ours.parentId}-01`, "ours=1"]);
          expect(await send(url, { Traceparent: trace.traceparent })).toEqual([trace.traceparent, null]);
          const own = { ...trace, tracestate: "own=1" };
          expect(await send(url, own)).toEqual([trace.traceparent, "own=1"]);
        }),
      );
    },
  );

  it("contextFetch can be the global fetch, and be wrapped there", async () => {
    const port = await listen((req, res) => reply(res, req.headers["x-request-id"]));
    const url = `http://127.0.0.1:${port}/`;
    const before = globalThis.fetch;
    closing.push(() => void (globalThis.fetch = before));
    const own = contextFetch();
    const ask = async (): Promise<unknown> =>
      await correlationId.run("a", async () => await (await fetch(url)).json());
    globalThis.fetch = own;
    expect(await ask()).toBe("a");
    globalThis.fetch = contextFetch();
    expect(await ask()).toBe("a");
    const wrapped = globalThis.fetch;
    globalThis.fetch = async (input, init) => {
      await Promise.resolve();
      return await wrapped(input, init);
    };
    expect(await ask()).toBe("a");
    expect(await correlationId.run("b", async () => await (await own(url)).json())).toBe("b");
    // One that comes later is used, as one for tests is.
    globalThis.fetch = async () => Response.json("mocked");
    expect(await (await own(url)).json()).toBe("mocked");
    globalThis.fetch = before;
  });

  it("contextFetch takes from its second argument what fetch takes: inherited members, those of a Request too", async () => {
    const port = await listen((req, res) => {
      let body = "";
      req.on("data", (chunk: Buffer) => (body += chunk.toString()));
      req.on("end", () => reply(res, [req.method, body, req.headers["x-own"], req.headers["x-request-id"]]));
    });
    const url = `http://127.0.0.1:${port}/`;
    const sent = { method: "POST", body: "hello", headers: { "x-own": "1" } };
    class Init {
      get method(): string {
        return "DELETE";
      }
    }
    await correlationId.run("r", async () => {
      const elsewhere = new Request("http://elsewhere.invalid/", sent);
      expect(await (await contextFetch()(url, elsewhere)).json()).toEqual(["POST", "hello", "1", "r"]);
      const theirs = new UndiciRequest("http://elsewhere.invalid/", sent) as never;
      const viaUndici = contextFetch({}, undiciFetch as never);
      expect(await (await viaUndici(url, theirs)).json()).toEqual(["POST", "hello", "1", "r"]);
      for (const init of [Object.create({ method: "DELETE" }), new Init()] as RequestInit[])
        expect(await (await contextFetch()(url, init)).json()).toEqual(["DELETE", "", null, "r"]);
      expect(await (await contextFetch()(url, null as never)).json()).toEqual(["GET", "", null, "r"]);
    });
  });

  it("contextInterceptor passes on inherited members of a request", async () => {
    const port = await listen((req, res) => reply(res, [req.method, req.headers["x-request-id"]]));
    const origin = `http://127.0.0.1:${port}`;
    const agent = dispatcher().compose(contextInterceptor());
    const options = Object.create({ origin, path: "/", method: "DELETE" }) as Parameters<
      typeof agent.request
    >[0];
    const { body } = await correlationId.run("r", () => agent.request(options));
    expect(await body.json()).toEqual(["DELETE", "r"]);
  });

  it("with `origins` the other hosts learn nothing", async () => {
    const ports = await Promise.all(
      [1, 2].map(() => listen((req, res) => reply(res, req.headers["x-request-id"]))),
    );
    const [ours, theirs] = ports.map((port) => `http://127.0.0.1:${port}/some/path`) as [string, string];
    const options = { origins: [new URL(ours), "https://billing.internal"] };
    const viaFetch = contextFetch(options);
    const agent = dispatcher().compose(contextInterceptor(options));
    const answers = async (url: string): Promise<unknown[]> => [
      await (await viaFetch(url)).json(),
      await (await viaFetch(new Request(url))).json(),
      await (await request(url, { dispatcher: agent })).body.json(),
      await (await undiciFetch(url, { dispatcher: agent })).json(),
    ];
    await correlationId.run("r", async () => {
      expect(await answers(ours)).toEqual(["r", "r", "r", "r"]);
      expect(await answers(theirs)).toEqual([null, null, null, null]);
      const pool = new Pool(new URL(ours).origin);
      closing.push(() => pool.close());
      const own = pool.compose(contextInterceptor(options));
      expect(await (await own.request({ method: "GET", path: "/" })).body.json()).toBe("r");
    });
  });

  it("leave it to undici what a header can be", async () => {
    const port = await listen((req, res) =>
      reply(res, [req.headers["x-request-id"], req.headers["x-count"], req.headers["x-many"]]),
    );
    const send = async (headers: unknown): Promise<unknown> => {
      const options = { headers, dispatcher: dispatcher().compose(contextInterceptor()) };
      return await (await request(`http://127.0.0.1:${port}/`, options as never)).body.json();
    };
    await correlationId.run("a", async () => {
      const answer = ["a", "1", "b, c"];
      expect(await send({ "x-count": 1, "x-many": ["b", "c"], "x-none": undefined })).toEqual(answer);
      expect(await send(["x-count", 1, "x-many", ["b", "c"]])).toEqual(answer);
      expect(
        await send(new Map<string, unknown>(Object.entries({ "x-count": 1, "x-many": ["b", "c"] }))),
      ).toEqual(answer);
      for (const wrong of [["x-count"], "x-count", { "x-count": {} }])
        await expect(send(wrong)).rejects.toThrow(expect.objectContaining({ code: "UND_ERR_INVALID_ARG" }));
    });
  });

  it("refuse a wrong origin when they are made", () => {
    const fails =
      (origins: unknown): unknown =>
      () =>
        contextFetch({ origins } as never);
    expect(fails("https://a.test")).toThrow(/options\.origins/);
    expect(fails(["a.test"])).toThrow(/options\.origins\[0\]/);
    expect(fails(["https://a.test", 1])).toThrow(/options\.origins\[1\]/);
    // A URL of another class than Node's is one.
    expect(fails([{ href: "https://a.test/" }])).not.toThrow();
    expect(fails([{ href: "data:," }])).toThrow(/options\.origins\[0\]/);
  });

  it("refuse a wrong option when they are made", () => {
    for (const make of [contextFetch, contextInterceptor])
      expect(() => make({ trac: true } as never)).toThrow(
        expect.objectContaining({ code: "ERR_SKEIN_UNKNOWN_OPTION" }),
      );
  });
});

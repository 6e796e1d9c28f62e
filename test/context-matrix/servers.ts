/** A server of each framework with its `correlation`, made in nobody's context. Answers what the handler sees, and what a job of it sees. */
import "reflect-metadata";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { serve } from "@hono/node-server";
import { Controller, Get, Module, type Type } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { correlation as forFastify } from "@skein/context/fastify";
import { correlation as forHono } from "@skein/context/hono";
import { correlation, correlationId } from "@skein/context/http";
import { correlation as forKoa } from "@skein/context/koa";
import { CorrelationModule } from "@skein/context/nest";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";

/** In the handler, behind an await. */
type Handler = () => Promise<unknown>;

export const frameworks: Readonly<Record<string, (handler: Handler) => Promise<Server>>> = {
  async Express(handler) {
    const app = express();
    app.use(correlation());
    app.get("/", async (_, response) => void response.json(await handler()));
    return app.listen(0, "127.0.0.1");
  },
  async Fastify(handler) {
    const app = fastify();
    await app.register(forFastify);
    app.get("/", handler);
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server;
  },
  async Hono(handler) {
    const app = new Hono();
    app.use(forHono());
    app.get("/", async (context) => context.json((await handler()) as object));
    return serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  },
  async Koa(handler) {
    const app = new Koa();
    app.use(forKoa());
    app.use(async (context) => void (context.body = await handler()));
    return app.listen(0, "127.0.0.1");
  },
  async Nest(handler) {
    const app = await NestFactory.create(nestModule(handler), { logger: false });
    await app.listen(0, "127.0.0.1");
    return app.getHttpServer() as Server;
  },
  async "Nest on Fastify"(handler) {
    const adapter = new FastifyAdapter();
    const app = await NestFactory.create<NestFastifyApplication>(nestModule(handler), adapter, {
      logger: false,
    });
    await app.listen(0, "127.0.0.1");
    return app.getHttpServer();
  },
};

function nestModule(handler: Handler): Type {
  class Root {
    see(): Promise<unknown> {
      return handler();
    }
  }
  // Decorators are not erasable: they are called by hand.
  Get()(Root.prototype, "see", Object.getOwnPropertyDescriptor(Root.prototype, "see")!);
  Controller()(Root);
  class App {
    readonly name = "app";
  }
  Module({ imports: [CorrelationModule.forRoot()], controllers: [Root as Type] })(App);
  return App;
}

/** @returns its URL. Asked for the id of the request, and for what `look` gives. */
export async function startServer(
  framework: string,
  look: () => Promise<unknown>,
  idInJob: () => Promise<string | undefined>,
): Promise<string> {
  const server = await frameworks[framework]!(async () => {
    const before = correlationId.value;
    const seen = await look();
    const inJob = await idInJob();
    return { id: before === correlationId.value && before === inJob ? before : "another one", seen };
  });
  if (!server.listening) await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

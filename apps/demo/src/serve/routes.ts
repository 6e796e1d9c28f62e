/** What can be asked for, and by which path. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { correlationId } from "@skein/context/http";
import { printable } from "../wording.ts";
import { CensusError } from "./census-error.ts";
import type { EventHub } from "./event-hub.ts";
import { LISTINGS, packagesOf, pageOf } from "./listings.ts";
import { lastLogLines } from "./log-tail.ts";
import { readPageFiles } from "./page-files.ts";
import { readQuery, wholeNumberIn } from "./query-string.ts";
import { settingsFrom } from "./scan-pool.ts";
import type { ScanPool } from "./scan-pool.ts";
import type { ScanService } from "./scan-service.ts";
import type { ScanStore } from "./scan-store.ts";
import type { Uploads } from "./uploads.ts";

export interface RouteParts {
  readonly service: ScanService;
  readonly store: ScanStore;
  readonly pool: ScanPool;
  readonly hub: EventHub;
  readonly uploads: Uploads;
  readonly logFile: string;
  /** They begin to listen after this server. */
  readonly devtoolsUrl: Promise<string>;
  /** Whether threads may be killed by a request. */
  readonly chaos: boolean;
}

const MAX_LISTED = 200;
const MAX_NAME_LENGTH = 200;

export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  addPage(app);
  addScans(app, parts);
  addResults(app, parts);
  addThreads(app, parts);
  void app.register((scope, _, done) => {
    addUpload(scope, parts);
    done();
  });
}

function addPage(app: FastifyInstance): void {
  for (const [path, { type, text }] of readPageFiles())
    app.get(path, (_, reply) => reply.type(type).send(text));
}

function addScans(app: FastifyInstance, { service }: RouteParts): void {
  app.get("/api/scans", ({ query }) => {
    const given = readQuery(query, ["correlationId", "limit"]);
    const limit = wholeNumberIn("limit", given.limit, 1, MAX_LISTED, MAX_LISTED);
    return { scans: service.list(limit, given.correlationId) };
  });
  app.post("/api/scans", ({ body }, reply) => {
    const { path } = Object(body) as { path?: unknown };
    if (typeof path !== "string")
      throw new CensusError("ERR_CENSUS_REQUEST", `Send the folder's path as JSON: {"path": "some/folder"}.`);
    return reply.code(202).send(service.scanPath(path, ownCorrelationId()));
  });
  app.get("/api/scans/:id", (request) => service.find(idOf(request)));
  app.post("/api/scans/:id/cancel", (request) => service.cancel(idOf(request)));
  app.post("/api/scans/:id/resume", (request) => service.resume(idOf(request)));
  app.delete("/api/scans/:id", async (request, reply) => {
    await service.delete(idOf(request));
    return await reply.code(204).send();
  });
}

function addUpload(scope: FastifyInstance, { service, uploads }: RouteParts): void {
  // The body is read by the handler, whatever it says it is.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, _body, done) => done(null));
  scope.addHook("onRequest", (request, _, done) => {
    uploads.checkLength(request.headers["content-length"]);
    done();
  });
  scope.post("/api/scans/upload", async (request, reply) => {
    const given = readQuery(request.query, ["name"]);
    const name = printable(given.name ?? "").slice(0, MAX_NAME_LENGTH) || "upload";
    const correlation = ownCorrelationId();
    const record = await uploads.accept(request.raw, name, (id, root) =>
      service.begin(id, { kind: "upload", name }, root, correlation),
    );
    return await reply.code(202).send(record);
  });
}

function addResults(app: FastifyInstance, { service, store, logFile }: RouteParts): void {
  for (const [name, listing] of Object.entries(LISTINGS)) {
    app.get(`/api/scans/:id/${name}`, (request) =>
      pageOf(store, service.find(idOf(request)).id, listing, request.query),
    );
  }
  app.get("/api/scans/:id/tree", (request) => ({
    packages: packagesOf(store, service.find(idOf(request)).id),
  }));
  app.get("/api/log", async ({ query }) => {
    const given = readQuery(query, ["correlationId", "limit"]);
    const limit = wholeNumberIn("limit", given.limit, 1, MAX_LISTED, MAX_LISTED);
    return { lines: await lastLogLines(logFile, limit, given.correlationId) };
  });
}

function addThreads(app: FastifyInstance, { pool, hub, devtoolsUrl, chaos }: RouteParts): void {
  app.get("/api/settings", () => pool.settings);
  app.put("/api/settings", ({ body }) => {
    pool.set(settingsFrom(body));
    hub.settingsChanged(pool.settings);
    return pool.settings;
  });
  app.get("/api/devtools", async () => ({ url: await devtoolsUrl }));
  app.get("/api/events", (_, reply: FastifyReply) => {
    hub.checkRoom();
    // Before it is hijacked: what this throws is answered like any refusal.
    hub.add(reply.raw);
    reply.hijack();
  });
  if (!chaos) return;
  app.post("/api/chaos", async () => {
    const threadId = await pool.killThread();
    if (threadId === null)
      throw new CensusError("ERR_CENSUS_STATE", "There is no thread to kill. Start a scan first.");
    return { threadId };
  });
}

function idOf({ params }: FastifyRequest): string {
  return (params as { readonly id: string }).id;
}

/** Of the request that is answered. */
function ownCorrelationId(): string {
  return correlationId.value!;
}

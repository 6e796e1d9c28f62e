/**
 * Census as a service: puts its parts together, answers requests, and ends in this order:
 *
 * 1. No scan or upload begins; scans under way may go on for a while, then they are interrupted. What is stored stays.
 * 2. The pages are told goodbye, connections end, and with them what is still received.
 * 3. The threads, the devtools and the database are closed.
 */
import { fastify } from "fastify";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { AsyncScope } from "@skein/context";
import { correlation } from "@skein/context/fastify";
import { serveDevtools } from "@skein/devtools";
import { UsageError } from "../command-line.ts";
import type { PolicyChoice } from "../options.ts";
import { errorCode } from "../wording.ts";
import { ARCHIVE_LIMITS } from "./archive/limits.ts";
import type { ArchiveLimits } from "./archive/limits.ts";
import { DataFolder } from "./data-folder.ts";
import { EventHub } from "./event-hub.ts";
import { addRoutes } from "./routes.ts";
import { addRules } from "./rules.ts";
import { ScanPool } from "./scan-pool.ts";
import { ScanRoot } from "./scan-root.ts";
import { ScanService } from "./scan-service.ts";
import { ScanStore } from "./scan-store.ts";
import { Uploads } from "./uploads.ts";

export { MAX_THREADS } from "./scan-pool.ts";

export interface ServerOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly host: string;
  /** What may be scanned by its path. */
  readonly root: string;
  /** Null: see `DataFolder`. */
  readonly data: string | null;
  readonly threads: number;
  readonly policy: PolicyChoice;
  /** Lets requests kill threads. */
  readonly chaos: boolean;
  /** @default ARCHIVE_LIMITS */
  readonly archives?: ArchiveLimits;
}

export interface CensusServer {
  readonly url: string;
  readonly devtoolsUrl: string;
  readonly dataFolder: string;
  /** Scans that have not ended. */
  readonly openScans: number;
  /** @param drainMs how long scans under way may go on. @param hurry ends that early. @returns how many were interrupted */
  close(drainMs?: number, hurry?: Promise<unknown>): Promise<number>;
}

const BODY_BYTES = 1 << 16;
/** An upload may take so long. */
const REQUEST_MS = 600_000;
const LISTED_AT_FIRST = 100;

/** @throws UsageError for a folder or an address that cannot be had. */
export function openCensusServer(options: ServerOptions): Promise<CensusServer> {
  // Nothing of the caller's context is kept, whoever connects.
  return AsyncScope.root.run(() => open(options));
}

async function open(options: ServerOptions): Promise<CensusServer> {
  const root = new ScanRoot(options.root);
  const data = new DataFolder(options.data);
  const pool = new ScanPool({ policy: options.policy, threads: options.threads });
  let store: ScanStore | undefined;
  try {
    store = new ScanStore(data.database);
    return await listen(options, { root, data, pool, store });
  } catch (error) {
    await pool.close();
    store?.close();
    data.close();
    throw error;
  }
}

interface Opened {
  readonly root: ScanRoot;
  readonly data: DataFolder;
  readonly pool: ScanPool;
  readonly store: ScanStore;
}

async function listen(options: ServerOptions, opened: Opened): Promise<CensusServer> {
  const { root, data, pool, store } = opened;
  const devtoolsUrl = Promise.withResolvers<string>();
  const uploads = new Uploads(data.uploads, options.archives ?? ARCHIVE_LIMITS);
  const hub = new EventHub({
    scans: () => service.list(LISTED_AT_FIRST),
    settings: () => pool.settings,
    threads: () => pool.threads(),
  });
  const service: ScanService = new ScanService({
    root,
    uploads,
    pool,
    store,
    file: data.database,
    logFile: data.log,
    changed: (record) => hub.changed(record),
    progressed: (record) => hub.progressed(record),
    deleted: (id) => hub.deleted(id),
  });
  const app = fastify({
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  });
  await app.register(correlation, { header: "x-correlation-id" });
  addRules(app, options.host, uploads);
  addRoutes(app, {
    service,
    store,
    pool,
    hub,
    uploads,
    logFile: data.log,
    devtoolsUrl: devtoolsUrl.promise,
    chaos: options.chaos,
  });
  const { host, port } = options;
  const url = await app.listen({ host, port }).catch((error: unknown) => {
    const advice = errorCode(error) === "EADDRINUSE" ? ": something else does. Give another --port" : "";
    throw new UsageError(`cannot listen at ${host}, port ${port}${advice || `: ${errorCode(error)}`}`);
  });
  const devtools = await serveDevtools(pool.pool, {
    port: 0,
    locals: ["census.scan", "census.file"],
    frameAncestors: ownOrigins((app.server.address() as AddressInfo).port),
  }).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  devtoolsUrl.resolve(devtools.url);
  const close = async (drainMs: number, hurry: Promise<unknown>): Promise<number> => {
    uploads.close();
    const waited = new AbortController();
    const patience = pause(drainMs, undefined, { signal: waited.signal }).catch(() => {});
    const interrupted = await service.close(Promise.race([patience, hurry]));
    waited.abort();
    hub.close();
    await app.close();
    await uploads.settled();
    await pool.close();
    await devtools.close();
    store.close();
    data.close();
    return interrupted;
  };
  let closing: Promise<number> | undefined;
  return {
    url: `${url}/`,
    devtoolsUrl: devtools.url,
    dataFolder: data.path,
    get openScans() {
      return service.openCount;
    },
    close: (drainMs = 0, hurry = new Promise(() => {})) => (closing ??= close(drainMs, hurry)),
  };
}

/** Of the page, on this machine: no policy can name an IPv6 address. */
function ownOrigins(port: number): string[] {
  return ["127.0.0.1", "localhost"].map((name) => `http://${name}:${port}`);
}

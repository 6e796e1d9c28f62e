import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { pipeline, Readable } from "node:stream";
import { AsyncScope } from "@skein/context";
import { argumentTypeError, type OptionNames, SkeinError } from "@skein/context/errors";
import type { ThreadPool } from "@skein/pool";
import { canRecord } from "@skein/pool/engine";
import { type Access, refusalOf } from "./access.ts";
import { Client } from "./client.ts";
import { type Document, pageDocument } from "./document.ts";
import { Observer } from "./observer.ts";
import { type DevtoolsOptions, resolveOptions, type ResolvedOptions } from "./options.ts";
import { bodyOf } from "./request-body.ts";
import { setThreadCounts, threadCountNames } from "./thread-counts.ts";

/** A window on a pool that is open. */
export interface Devtools extends AsyncDisposable {
  /** What to open in a browser, with the token if it needs one. */
  readonly url: string;
  readonly port: number;
  /** The number of viewers at this moment. */
  readonly clients: number;
  /** Ends it and disconnects its viewers. The pool goes on. May be called again. */
  close(): Promise<void>;
}

/** What only tests and trials set. */
export interface Limits {
  readonly clients: number;
  /** What may wait for one of them to be read. */
  readonly bytesPerClient: number;
  readonly slicesPerBatch: number;
}

export const limits: Limits = { clients: 32, bytesPerClient: 4 << 20, slicesPerBatch: 500 };

const cancelNames: OptionNames<{ readonly job: number }> = { job: true };

const headers = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/**
 * Serves a page that shows what the threads of the pool do, as it happens. Without viewers, nothing is recorded. Never keeps the
 * process alive. Names of functions, errors, files and threads are shown; arguments and results never are.
 *
 * @returns once it listens; rejects with SkeinError ERR_SKEIN_DEVTOOLS_LISTEN when it cannot.
 * @throws TypeError or RangeError for a bad argument, naming it.
 * @example
 * const devtools = await serveDevtools(pool);
 * console.log(devtools.url); // http://127.0.0.1:9339/
 */
export function serveDevtools(pool: ThreadPool, options?: DevtoolsOptions): Promise<Devtools> {
  return serve(pool, options, limits);
}

/** The same with other limits, and another page. */
export function serve(
  pool: ThreadPool,
  options: DevtoolsOptions | undefined,
  own: Limits,
  page: () => Promise<Document> = pageDocument,
): Promise<Devtools> {
  if (!canRecord(pool)) throw argumentTypeError("pool", "a ThreadPool", pool);
  const resolved = resolveOptions(options);
  // Nothing of the caller's context is kept, whoever connects.
  return AsyncScope.root.run(() => new DevtoolsServer(pool, resolved, own, page).listen());
}

class DevtoolsServer implements Devtools {
  readonly #pool: ThreadPool;
  readonly #options: ResolvedOptions;
  readonly #limits: Limits;
  readonly #page: () => Promise<Document>;
  readonly #access: Access;
  readonly #observer: Observer;
  readonly #server: Server;
  #port = 0;
  #closing: Promise<void> | null = null;

  constructor(pool: ThreadPool, options: ResolvedOptions, own: Limits, page: () => Promise<Document>) {
    this.#pool = pool;
    this.#options = options;
    this.#limits = own;
    this.#page = page;
    this.#access = options;
    this.#observer = new Observer(pool, { ...options, slicesPerBatch: own.slicesPerBatch });
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.maxConnections = 4 * own.clients;
    this.#server.on("connection", (socket) => socket.unref());
  }

  listen(): Promise<this> {
    const { port, host } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (cause: NodeJS.ErrnoException) => {
        const advice = cause.code === "EADDRINUSE" ? ". Give another `port`, or 0 for any that is free" : "";
        const message = `The devtools cannot listen at ${host}, port ${port}: ${cause.message}${advice}`;
        reject(new SkeinError("ERR_SKEIN_DEVTOOLS_LISTEN", message, { cause }));
      });
      this.#server.listen(port, host, () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve(this);
      });
      this.#server.unref();
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const { host, token } = this.#options;
    const name = isIPv6(host) ? `[${host}]` : host;
    return `http://${name}:${this.port}/${token === null ? "" : `?token=${token}`}`;
  }

  get clients(): number {
    return this.#observer.clients;
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#observer.close();
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const url = new URL(`http://server${request.url?.startsWith("/") === true ? request.url : "/"}`);
    const refusal = refusalOf(request, url, this.#access);
    if (refusal !== null) {
      say(response, refusal.status, refusal.reason);
      return;
    }
    const route = `${request.method} ${url.pathname}`;
    if (route === "GET /") void this.#sendPage(response);
    else if (route === "GET /feed") this.#feed(response);
    else if (route === "GET /timeline.json") this.#sendTimeline(response);
    else if (route === "POST /threads")
      void this.#control(request, response, threadCountNames, (counts) =>
        setThreadCounts(this.#pool, counts),
      );
    else if (route === "POST /cancel")
      void this.#control(request, response, cancelNames, ({ job }) => this.#observer.cancel(job));
    else say(response, 404, "There is nothing here. The page is at /");
  }

  async #sendPage(response: ServerResponse): Promise<void> {
    try {
      const { html, policy } = await this.#page();
      this.#allowFrames(response, policy);
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
    } catch (error) {
      const advice = "If this program is bundled, keep @skein/devtools out of the bundle.";
      say(response, 500, `The page cannot be loaded: ${String(error)}. ${advice}`);
    }
  }

  #allowFrames(response: ServerResponse, policy: string): void {
    const { frameAncestors } = this.#options;
    const allowed = frameAncestors.length === 0 ? "'none'" : frameAncestors.join(" ");
    response.setHeader("content-security-policy", `${policy}; frame-ancestors ${allowed}`);
    // It cannot name anybody; the policy can.
    if (frameAncestors.length > 0) response.removeHeader("x-frame-options");
  }

  #feed(response: ServerResponse): void {
    if (this.#observer.clients >= this.#limits.clients) {
      say(response, 503, `There are ${this.#limits.clients} viewers already. Close one of them.`);
      return;
    }
    this.#observer.add(new Client(response, this.#limits.bytesPerClient));
  }

  #sendTimeline(response: ServerResponse): void {
    const timeline = this.#observer.timeline();
    if (timeline === null) {
      say(response, 409, "Nothing is recorded without viewers. Open the page first.");
      return;
    }
    response.writeHead(200, {
      "content-type": "application/json",
      "content-disposition": 'attachment; filename="skein-timeline.json"',
    });
    // Whoever leaves before its end ends it.
    pipeline(Readable.from(timeline), response, () => {});
  }

  /** @param act Says why it did not; null: it did. */
  async #control<T extends object>(
    request: IncomingMessage,
    response: ServerResponse,
    names: OptionNames<T>,
    act: (body: Readonly<Partial<T>>) => string | null | Promise<string | null>,
  ): Promise<void> {
    if (!this.#options.controls) {
      say(response, 403, "This window only shows. `controls: true` lets it change something.");
      return;
    }
    // A form of another page cannot send this.
    if (request.headers["content-type"] !== "application/json") {
      say(response, 415, "Send JSON.");
      return;
    }
    let refusal: string | null;
    try {
      refusal = await act(await bodyOf(request, names));
    } catch (error) {
      refusal = error instanceof Error ? error.message : String(error);
    }
    if (refusal === null) response.writeHead(204).end();
    else say(response, 400, refusal);
  }
}

function say(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${sentence}\n`);
}

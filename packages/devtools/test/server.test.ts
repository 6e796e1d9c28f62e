/** The server: who is answered, what is told, and what it costs without viewers. Real pools, real sockets. */
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { AsyncLocal } from "@skein/context";
import { correlationId } from "@skein/context/http";
import { ThreadPool } from "@skein/pool";
import { afterEach, describe, expect, it, vi } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import {
  type Batch,
  type FeedMessage,
  QUEUES,
  readFeed,
  type Slice,
  SLICE_FIELDS,
  sliceAt,
} from "../src/feed.ts";
import { Client } from "../src/server/client.ts";
import { type Document, pageDocument } from "../src/server/document.ts";
import { Observer } from "../src/server/observer.ts";
import type { DevtoolsOptions } from "../src/server/options.ts";
import { type Devtools, limits, serve, serveDevtools } from "../src/server/serve-devtools.ts";
import { ask } from "./browse.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

function poolOf(threads = 1): ThreadPool {
  const pool = new ThreadPool({ name: "shown", minThreads: threads, maxThreads: threads });
  open.push(pool);
  return pool;
}

async function served(pool: ThreadPool, options: DevtoolsOptions = {}): Promise<Devtools> {
  const devtools = await serveDevtools(pool, { port: 0, ...options });
  open.push(devtools);
  return devtools;
}

function slicesOf({ threads }: Batch): Slice[] {
  return threads.flatMap(({ slices }) =>
    Array.from({ length: slices.length / SLICE_FIELDS }, (_, i) => sliceAt(slices, i * SLICE_FIELDS)),
  );
}

/** Reads until `isEnough`. */
async function read(url: string, isEnough: (message: FeedMessage) => boolean): Promise<FeedMessage[]> {
  const messages: FeedMessage[] = [];
  for await (const message of readFeed(url)) {
    messages.push(message);
    if (isEnough(message)) break;
  }
  return messages;
}

describe("who is answered", () => {
  it.each(["127.0.0.1", "localhost", "LocalHost", "[::1]"])(
    "the page, asked for by %s, with a policy of its own",
    async (name) => {
      const { port } = await served(poolOf());
      const answer = await ask(`http://127.0.0.1:${port}/`, { headers: { host: `${name}:${port}` } });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({ "x-frame-options": "DENY", "referrer-policy": "no-referrer" });
      expect(answer.headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'sha256-/);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(answer.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    },
  );

  it("the page, to be shown in a frame of nobody but the origins that are named", async () => {
    const policyOf = async (frameAncestors?: string[]): Promise<[unknown, unknown]> => {
      const { url } = await served(poolOf(), { frameAncestors });
      const { headers } = await ask(url);
      return [
        String(headers["content-security-policy"]).split("; ").at(-1),
        headers["x-frame-options"] ?? null,
      ];
    };
    expect(await policyOf()).toEqual(["frame-ancestors 'none'", "DENY"]);
    const named = ["http://127.0.0.1:8080", "HTTPS://Tools.example:443"];
    expect(await policyOf(named)).toEqual([
      "frame-ancestors http://127.0.0.1:8080 https://tools.example",
      null,
    ]);
  });

  it.each([
    "*",
    "http://*",
    "null",
    "https:",
    "http://a; script-src *",
    "http://a/b",
    "http://[::1]:80",
    "http://a:70000",
  ])("no page in frames of %j, which is no origin", (origin) => {
    expect(() => serveDevtools(poolOf(), { frameAncestors: [origin] })).toThrow(
      /options\.frameAncestors\[0\]/,
    );
  });

  it.each([
    ["a name that points here", { host: "attacker.example:80" }],
    ["no sensible name", { host: "" }],
    ["another origin", { origin: "http://attacker.example" }],
    ["another program on this machine", { origin: "http://127.0.0.1:1" }],
    ["an origin that hides", { origin: "null" }],
    ["another site, without an origin", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ])("nobody who comes by %s, for anything", async (_, headers) => {
    const pool = poolOf();
    const { port } = await served(pool, { controls: true });
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/feed"],
      ["GET", "/timeline.json"],
      ["POST", "/threads"],
      ["POST", "/cancel"],
    ] as const) {
      const answer = await ask(`http://127.0.0.1:${port}${path}`, { method, headers });
      expect([path, answer.status]).toEqual([path, answer.status === 400 && "host" in headers ? 400 : 403]);
    }
    expect(pool.maxThreads).toBe(1);
  });

  it("whoever follows a link of another site to the page, and to nothing else", async () => {
    const { port } = await served(poolOf());
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    const paths = ["/", "/feed", "/timeline.json"];
    const statuses = paths.map(
      async (path) => (await ask(`http://127.0.0.1:${port}${path}`, { headers })).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 403, 403]);
  });

  it("with an error and no more, when there is no page; with the page once there is", async () => {
    let asked = 0;
    const page = (): Promise<Document> =>
      ++asked === 1 ? Promise.reject(new Error("Cannot find module page.js")) : pageDocument();
    const devtools = await serve(poolOf(), { port: 0 }, limits, page);
    open.push(devtools);
    const first = await ask(devtools.url);
    expect([first.status, first.text]).toEqual([500, expect.stringContaining("Cannot find module page.js")]);
    expect((await ask(devtools.url)).status).toBe(200);
  });

  it("with a token, only who names it; one is made where others can reach the server", async () => {
    const token = "0123456789abcdef";
    const { port, url } = await served(poolOf(), { token });
    expect(url).toBe(`http://127.0.0.1:${port}/?token=${token}`);
    const statusOf = async (path: string, headers = {}): Promise<number> =>
      (await ask(`http://127.0.0.1:${port}${path}`, { headers })).status;
    expect(await statusOf("/")).toBe(401);
    expect(await statusOf("/feed?token=0123456789abcdee")).toBe(401);
    expect(await statusOf(`/?token=${token}`)).toBe(200);
    expect(await statusOf("/", { authorization: `Bearer ${token}` })).toBe(200);
    const wide = await served(poolOf(), { host: "0.0.0.0" });
    expect(wide.url).toMatch(/\?token=[0-9a-f]{32}$/);
    expect((await ask(`http://127.0.0.1:${wide.port}/`)).status).toBe(401);
  });

  it("changes nothing unless it may, and says what is wrong with a number", async () => {
    const pool = poolOf(2);
    const post = async (
      { port }: Devtools,
      body: string,
      type = "application/json",
    ): Promise<[number, string]> => {
      const headers = { "content-type": type };
      const { status, text } = await ask(`http://127.0.0.1:${port}/threads`, {
        method: "POST",
        headers,
        body,
      });
      return [status, text];
    };
    const shows = await served(pool);
    expect((await post(shows, '{"maxThreads":3}'))[0]).toBe(403);
    const changes = await served(pool, { controls: true });
    expect((await post(changes, '{"maxThreads":3}', "text/plain"))[0]).toBe(415);
    expect(pool.maxThreads).toBe(2);
    expect((await post(changes, '{"minThreads":1,"maxThreads":1}'))[0]).toBe(204);
    expect([pool.minThreads, pool.maxThreads]).toEqual([1, 1]);
    for (const refused of ['{"minThreads":5,"maxThreads":3}', '{"maxThreads":3,"minThreads":"x"}']) {
      expect([refused, (await post(changes, refused))[0]]).toEqual([refused, 400]);
      expect([pool.minThreads, pool.maxThreads]).toEqual([1, 1]);
    }
    expect(await post(changes, '{"maxThreads":"x"}')).toEqual([400, expect.stringContaining("maxThreads")]);
    expect(await post(changes, '{"maxThread":2}')).toEqual([400, expect.stringContaining("Did you mean")]);
    expect((await post(changes, `{"a":"${"x".repeat(2000)}"}`))[0]).toBe(400);
  });

  it("cancels a job for a viewer who may, if it can be", async () => {
    const pool = poolOf();
    const { port, url } = await served(pool, { controls: true });
    const cancel = async (body: object): Promise<[number, string]> => {
      const answer = await ask(`http://127.0.0.1:${port}/cancel`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return [answer.status, answer.text];
    };
    expect(await cancel({ job: 4 })).toEqual([400, expect.stringContaining("Open the page first")]);
    const feed = readFeed(url);
    await feed.next();
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const held = pool.run((words: Int32Array) => void Atomics.wait(words, 0, 0), [gate]);
    const waiting = pool.run(() => 1);
    const submitted: number[] = [];
    while (submitted.length < 2) {
      const { value } = await feed.next();
      if (value?.type === "batch")
        submitted.push(...slicesOf(value).flatMap(({ kind, job }) => (kind === "submit" ? [job] : [])));
    }
    const job = submitted[1]!;
    expect(await cancel({ job })).toEqual([204, ""]);
    await expect(waiting).rejects.toMatchObject({ reason: "canceled in the devtools" });
    expect(await cancel({ job })).toEqual([400, expect.stringContaining("outcome already")]);
    expect(await cancel({ job: "x" })).toEqual([400, expect.stringContaining("job")]);
    expect(await cancel({ jobs: 1 })).toEqual([400, expect.stringContaining("Did you mean")]);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await held;
    await feed.return();
  });

  it("says at the door what is wrong with an option, and whose port it is", async () => {
    const pool = poolOf();
    expect(() => serveDevtools({} as ThreadPool)).toThrow(/pool/);
    expect(() => serveDevtools(pool, { port: 70_000 })).toThrow(RangeError);
    expect(() => serveDevtools(pool, { prot: 1 } as never)).toThrow(/Did you mean `port`/);
    expect(() => serveDevtools(pool, { token: "short" })).toThrow(/options\.token/);
    expect(() => serveDevtools(pool, { frameAncestors: "http://a" } as never)).toThrow(/an array of origins/);
    const { port } = await served(pool);
    await expect(serveDevtools(pool, { port })).rejects.toMatchObject({ code: "ERR_SKEIN_DEVTOOLS_LISTEN" });
    await expect(read(`http://127.0.0.1:${port}/x?y`, () => true)).resolves.toHaveLength(1);
    expect(() => readFeed("https://x")).toThrow(TypeError);
    expect(() => readFeed("http://x", { signals: 1 } as never)).toThrow(/Did you mean `signal`/);
    expect(() => readFeed("http://x", { signal: 1 } as never)).toThrow(/options\.signal/);
  });

  it("a reader with a signal stops when it fires, also where nothing comes", async () => {
    const { url } = await served(poolOf());
    const silent = createServer();
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    for (const address of [url, silentUrl]) {
      const stop = new AbortController();
      const feed = readFeed(address, { signal: stop.signal });
      if (address === url) await feed.next();
      const next = feed.next();
      const asked = address === url ? null : once(silent, "request");
      await asked;
      stop.abort();
      let left = await next;
      for (let i = 0; i < 100 && left.done !== true; i++) left = await feed.next();
      expect(left).toEqual({ done: true, value: undefined });
    }
    silent.close();
  });
});

function answer(value: string): string {
  return `${value}-result`;
}

async function fail(message: string): Promise<never> {
  await new Promise((resolve) => setImmediate(resolve));
  throw new RangeError(message);
}

describe("what is told", () => {
  it("a job's life, whose it is, what it failed with, and nothing of its arguments and results", async () => {
    const pool = poolOf();
    const tenant = new AsyncLocal<string>({ name: "devtools-tenant", flow: "thread" });
    const secret = new AsyncLocal<string>({ name: "devtools-secret", flow: "thread" });
    const { url } = await served(pool, { locals: ["devtools-tenant"] });
    const work = setInterval(() => {
      correlationId.run("request-7", () =>
        tenant.run("acme", () =>
          secret.run("hidden-local", () => {
            void pool.run(answer, ["hidden-argument"]);
            pool.run(fail, ["hidden-message"]).then(null, () => {});
          }),
        ),
      );
    }, 5);
    const seen = new Set<string>();
    const messages = await read(url, (message) => {
      if (message.type !== "batch") return false;
      for (const { kind, outcome } of slicesOf(message)) seen.add(`${kind} ${outcome}`);
      return (
        ["submit null", "run completed", "settle completed", "run awaiting", "settle failed"].every((each) =>
          seen.has(each),
        ) && message.details.some(([, error]) => error === "RangeError")
      );
    });
    clearInterval(work);
    const [hello, sample] = messages;
    expect(hello).toMatchObject({ type: "hello", pool: { name: "shown" }, controls: false });
    expect(sample).toMatchObject({ type: "sample", minThreads: 1, maxThreads: 1 });
    const batches = messages.filter((message) => message.type === "batch");
    expect(batches.flatMap(({ contexts }) => contexts.map(([, values]) => values))).toContainEqual({
      correlationId: "request-7",
      "devtools-tenant": "acme",
    });
    const frames = batches.flatMap(({ details }) => details.flatMap(([, , each]) => each ?? []));
    expect(frames.every((each) => !each.includes(process.cwd()))).toBe(true);
    expect(JSON.stringify(messages)).not.toContain("hidden");
  });

  it("the same timeline as a trace, while there is a viewer", async () => {
    const pool = poolOf();
    const { port, url } = await served(pool);
    expect((await ask(`http://127.0.0.1:${port}/timeline.json`)).status).toBe(409);
    const feed = readFeed(url);
    await feed.next();
    await eventually("a job is in the trace", async () => {
      await pool.run(() => 1);
      const { status, text } = await ask(`http://127.0.0.1:${port}/timeline.json`);
      const { traceEvents } = JSON.parse(text) as {
        traceEvents: { ph: string; args?: { outcome?: string } }[];
      };
      return (
        status === 200 && traceEvents.some(({ ph, args }) => ph === "X" && args?.outcome === "completed")
      );
    });
    await feed.return();
  });

  it("a trace as it is read, however long it is", async () => {
    const pool = poolOf();
    const { port, url } = await served(pool);
    const feed = readFeed(url);
    await feed.next();
    const part = "x".repeat(1 << 20);
    let isLeft = false;
    // Longer than any string may be.
    vi.spyOn(Observer.prototype, "timeline").mockImplementation(function* () {
      try {
        for (let i = 0; i < 1024; i++) yield part;
      } finally {
        isLeft = true;
      }
    });
    const request = get(`http://127.0.0.1:${port}/timeline.json`);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    await once(response, "data");
    response.destroy();
    await eventually("nothing more is made", () => isLeft);
    vi.restoreAllMocks();
    await feed.return();
  });

  it("memory and CPU of each thread, and how late the event loops are, the main thread's too", async () => {
    const pool = poolOf();
    await pool.run(() => 1);
    const { url } = await served(pool);
    const work = setInterval(() => void pool.run(() => 1), 5);
    let longestDelay: number | null = null;
    const messages = await read(url, (message) => {
      if (message.type === "batch")
        for (const { loopDelayUs } of message.threads)
          if (loopDelayUs !== null) longestDelay = Math.max(longestDelay ?? 0, loopDelayUs);
      return longestDelay !== null && message.type === "sample" && (message.threads[0]?.heapUsed ?? 0) > 0;
    });
    clearInterval(work);
    const last = messages.at(-1)!;
    expect(last).toMatchObject({ type: "sample", threads: [{ index: 0 }] });
    const { threads, main } = last as Extract<FeedMessage, { type: "sample" }>;
    expect(threads[0]!.heapLimit!).toBeGreaterThan(threads[0]!.heapUsed!);
    expect(main.rss).toBeGreaterThan(main.heapUsed);
    expect(main.delayMaxMs).toBeGreaterThanOrEqual(main.delayP50Ms);
    expect(main.utilization).toBeLessThanOrEqual(1);
  });

  it("how many jobs wait for one thread alone", async () => {
    const pool = poolOf();
    const { url } = await served(pool);
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const held = pool.run((words: Int32Array) => void Atomics.wait(words, 0, 0), [gate], { affinity: "a" });
    const waiting = pool.run(() => 1, [], { affinity: "a" });
    const isTold = (message: FeedMessage): boolean =>
      message.type === "batch" && message.queued[QUEUES.indexOf("placed")]! > 0;
    const told = (await read(url, isTold)).at(-1);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await Promise.all([held, waiting]);
    expect(told).toMatchObject({ queued: [0, 0, 0, 0, expect.any(Number)] });
  });

  it("one job in several, when there are too many; those whole", async () => {
    const pool = poolOf();
    const devtools = await serve(
      pool,
      { port: 0 },
      { clients: 2, bytesPerClient: 1 << 20, slicesPerBatch: 100 },
    );
    open.push(devtools);
    const work = setInterval(() => {
      for (let i = 0; i < 100; i++) void pool.run(() => 1);
    }, 5);
    const messages = await read(devtools.url, (message) => message.type === "batch" && message.oneIn >= 4);
    clearInterval(work);
    expect(messages.at(-1)).toMatchObject({ type: "batch" });
  });
});

describe("viewers", () => {
  it("nothing is recorded before the first comes and after the last has gone; ten may watch at once", async () => {
    const pool = poolOf();
    const devtools = await served(pool);
    const isRecorded = async (): Promise<boolean> =>
      (await ask(`http://127.0.0.1:${devtools.port}/timeline.json`)).status === 200;
    expect([devtools.clients, await isRecorded()]).toEqual([0, false]);
    const feeds = Array.from({ length: 10 }, () => readFeed(devtools.url));
    const first = await Promise.all(feeds.map(async (feed) => (await feed.next()).value as FeedMessage));
    expect(new Set(first.map((message) => message.type === "hello" && message.session)).size).toBe(1);
    expect([devtools.clients, await isRecorded()]).toEqual([10, true]);
    await Promise.all(feeds.map((feed) => feed.return()));
    await eventually("all have gone", () => devtools.clients === 0);
    expect(await isRecorded()).toBe(false);
  });

  it.each<[string, RegExp, (response: ServerResponse) => void]>([
    ["refuses", /refuses: not for you$/, (response) => response.writeHead(401).end("not for you\n")],
    [
      "refuses and breaks off",
      /refuses: not for$/,
      (response) => void response.writeHead(401).write("not for", () => response.destroy()),
    ],
    [
      "is no window on a pool",
      /is no window on a pool\. Start the program with/,
      (response) =>
        void response.writeHead(200, { "content-type": "text/html" }).write("<!doctype html>\n\n"),
    ],
  ])("are told when the server %s", async (_, message, answer) => {
    await using server = createServer((_request, response) => answer(response));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    await expect(readFeed(`http://127.0.0.1:${port}/`).next()).rejects.toMatchObject({
      code: "ERR_SKEIN_DEVTOOLS_FEED",
      message: expect.stringMatching(message) as string,
    });
    server.closeAllConnections();
  });

  it("one that stops reading is dropped; the others are told on", async () => {
    const pool = poolOf();
    const devtools = await serve(
      pool,
      { port: 0 },
      { clients: 2, bytesPerClient: 64 << 10, slicesPerBatch: 1e9 },
    );
    open.push(devtools);
    const stalled = connect(devtools.port, "127.0.0.1");
    stalled.on("error", () => {});
    stalled.write(`GET /feed HTTP/1.1\r\nHost: 127.0.0.1:${devtools.port}\r\n\r\n`);
    stalled.pause();
    await eventually("it is a viewer", () => devtools.clients === 1);
    const feed = readFeed(devtools.url);
    await feed.next();
    expect((await ask(`http://127.0.0.1:${devtools.port}/feed`)).status).toBe(503);
    const work = setInterval(() => {
      for (let i = 0; i < 200; i++) void pool.run(() => 1);
    }, 5);
    function afterwards(): void {}
    let isToldOn = false;
    for await (const message of feed) {
      if (devtools.clients === 2) continue;
      clearInterval(work);
      void pool.run(afterwards);
      isToldOn = message.type === "batch" && message.functions.some(([, name]) => name === "afterwards");
      if (isToldOn) break;
    }
    expect(isToldOn).toBe(true);
    stalled.destroy();
  });

  it("one that reads is not dropped for an event that is larger than the limit", async () => {
    await using server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const asked = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
    const request = get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
    const [, response] = await asked;
    const client = new Client(response, 1000);
    // More than the system takes at once.
    const large = Buffer.alloc(32 << 20);
    client.send(large);
    expect(response.writableLength).toBeGreaterThan(1000);
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    let bytes = 0;
    answer.on("data", (chunk: Buffer) => (bytes += chunk.length));
    await eventually("it has read it", () => bytes === large.length && response.writableLength === 0);
    client.send(large);
    client.send(Buffer.from("too soon"));
    expect(response.destroyed).toBe(true);
    await once(answer, "error");
  });

  it("are told that the pool has closed, and whoever comes later, too", async () => {
    const pool = poolOf();
    const { url } = await served(pool);
    const feed = readFeed(url);
    await feed.next();
    const closing = pool.close();
    let last: FeedMessage | null = null;
    for await (const message of feed) last = message;
    expect(last).toEqual({ type: "closed" });
    await closing;
    expect((await read(url, () => true)).map(({ type }) => type)).toEqual(["closed"]);
  });

  it("are let go when the server closes; the pool goes on, and a reader is told nothing wrong", async () => {
    const pool = poolOf();
    const devtools = await served(pool);
    const feed = readFeed(devtools.url);
    await feed.next();
    await Promise.all([devtools.close(), devtools.close()]);
    for await (const _ of feed);
    expect(await pool.run(() => 3)).toBe(3);
    await expect(read(devtools.url, () => true)).rejects.toMatchObject({ code: "ERR_SKEIN_DEVTOOLS_FEED" });
  });
});

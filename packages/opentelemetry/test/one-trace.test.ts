/** The real SDK on the main thread and on the threads: what becomes of one request. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import { ThreadPool } from "@skein/pool";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { instrument } from "../src/index.ts";
import { receiveSpans, relayExporter, type SpanReceiver } from "../src/relay.ts";
import type * as Jobs from "./fixtures/traced.jobs.ts";

const exporter = new InMemorySpanExporter();
const tracer = trace.getTracer("test");
const closing: (() => unknown)[] = [];
let receiver: SpanReceiver;
let pool: ThreadPool;
let jobs: ReturnType<typeof ThreadPool.prototype.module<typeof Jobs>>;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  );
  const undici = new UndiciInstrumentation();
  await import("../src/register.ts");
  const instrumented = instrument();
  receiver = receiveSpans(exporter, { pushIntervalMs: 1 });
  pool = new ThreadPool({
    maxThreads: 1,
    initialize: new URL("fixtures/traced-thread.ts", import.meta.url),
    workerData: { spans: receiver.handle },
  });
  jobs = pool.module<typeof Jobs>(new URL("fixtures/traced.jobs.ts", import.meta.url));
  closing.push(
    () => undici.disable(),
    () => instrumented[Symbol.dispose](),
  );
});
afterEach(() => exporter.reset());
afterAll(async () => {
  for (const close of closing) await close();
  await pool.close();
  await receiver[Symbol.asyncDispose]();
});

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** When all of these are there: spans of threads come a moment later. */
async function spansNamed(...names: string[]): Promise<ReadableSpan[]> {
  await eventually(`spans named ${names.join(", ")}`, () =>
    names.every((name) => exporter.getFinishedSpans().some((span) => span.name === name)),
  );
  return exporter.getFinishedSpans();
}

it("an HTTP request, its job, a forked job, a batch, an outgoing request and a job of the job: one trace, parents right", async () => {
  let received: string | undefined;
  const service = await listen((request, response) => {
    received = request.headers["traceparent"] as string;
    response.end("served");
  });
  const rows = new MultiProducerConcurrentConsumer<string>({
    batchSize: 1,
    pushIntervalMs: 1,
    maxConcurrency: 1,
    slots: 1,
    flowContext: true,
    name: "rows",
  });
  rows.start(async () => {
    await Promise.resolve();
    tracer.startSpan("insert").end();
  });
  const api = await listen((request, response) => {
    const parent = propagation.extract(ROOT_CONTEXT, request.headers);
    void tracer.startActiveSpan("GET /", { kind: SpanKind.SERVER }, parent, async (span) => {
      response.end(await jobs.handle(rows.producer(0).handle, service));
      span.end();
    });
  });

  await tracer.startActiveSpan("client", async (span) => {
    expect(await (await fetch(api)).text()).toBe("served");
    span.end();
  });

  const spans = await spansNamed("client", "GET /", "batch rows", "run handle", "run half", "handle");
  await rows.complete();
  const only = (name: string, parent?: ReadableSpan): ReadableSpan => {
    const found = spans.filter(
      (span) =>
        span.name === name &&
        (parent === undefined || span.parentSpanContext?.spanId === parent.spanContext().spanId),
    );
    expect(found.map((span) => span.name)).toEqual([name]);
    return found[0]!;
  };
  const client = only("client");
  const sent = only("GET", client);
  const server = only("GET /", sent);
  const job = only("handle", server);
  const run = only("run handle", job);
  only("run half", run);
  const nested = only("half", run);
  only("run half", nested);
  const outgoing = only("GET", run);
  expect(outgoing.kind).toBe(SpanKind.CLIENT);
  expect(received).toBe(`00-${client.spanContext().traceId}-${outgoing.spanContext().spanId}-01`);

  const batch = only("batch rows");
  expect(batch.parentSpanContext).toBeUndefined();
  expect(batch.links.map((link) => link.context.spanId)).toEqual([run.spanContext().spanId]);
  expect(batch.attributes).toMatchObject({ "skein.batch.size": 1, "skein.batch.outcome": "completed" });
  const insert = only("insert", batch);
  const others = spans.filter((span) => span !== batch && span !== insert);
  expect(new Set(others.map((span) => span.spanContext().traceId)).size).toBe(1);
  expect(others).toHaveLength(9);
  expect(run.attributes).toMatchObject({ "skein.job.attempt": 1, "skein.job.outcome": "completed" });
  expect(run.attributes["skein.job.wait"]).toBeGreaterThanOrEqual(0);
  expect(run.resource.attributes).toMatchObject({ "telemetry.sdk.language": "nodejs" });
});

it("spans that ended before their thread died arrive whole, and so does the error of a run", async () => {
  await expect(jobs.diesAfterSpan()).rejects.toThrow("diesAfterSpan");
  const last = (await spansNamed("last words")).find(({ name }) => name === "last words");
  expect(last).toMatchObject({ name: "last words", ended: true, attributes: { "a.list": ["x", "y"] } });
  await expect(jobs.failLater()).rejects.toThrow("of a run");
  const spans = await spansNamed("run failLater");
  const run = spans.find(({ name }) => name === "run failLater")!;
  expect(run.status).toEqual({ code: SpanStatusCode.ERROR, message: "of a run" });
  expect(run.events[0]).toMatchObject({ name: "exception" });
});

it("a span that cannot be sent fails the export, and takes no other along", async () => {
  const received = new InMemorySpanExporter();
  const receiver = receiveSpans(received, { pushIntervalMs: 1 });
  const relay = relayExporter(receiver.handle);
  const made = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: made })] });
  for (const name of ["first", "odd", "last"]) provider.getTracer("t").startSpan(name).end();
  const spans = made.getFinishedSpans();
  Object.assign(spans[1]!, { attributes: { fn: () => {} } });
  const results: { code: number; error?: Error }[] = [];
  relay.export(spans, (result) => results.push(result));
  expect(results).toEqual([{ code: 1, error: expect.objectContaining({ name: "NotCloneableError" }) }]);
  await receiver[Symbol.asyncDispose]();
  expect(received.getFinishedSpans().map(({ name }) => name)).toEqual(["first", "last"]);
});

it("spans that find no room fail the export; wrong arguments are refused", async () => {
  await using small = receiveSpans(new InMemorySpanExporter(), { sharedBytes: 8192 });
  const relay = relayExporter(small.handle);
  const codes: number[] = [];
  const made = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: made })] });
  for (let i = 0; i < 20; i++) provider.getTracer("t").startSpan("s").end();
  for (const span of made.getFinishedSpans()) relay.export([span], ({ code }) => codes.push(code));
  expect(codes[0]).toBe(0);
  expect(codes.at(-1)).toBe(1);
  expect(() => receiveSpans({} as never)).toThrow(/`exporter`/);
  expect(() => receiveSpans(exporter, { sharedByte: 1 } as never)).toThrow(/sharedBytes/);
  expect(() => relayExporter(undefined as never)).toThrow(TypeError);
  expect(() => instrument({ spans: "all" as never })).toThrow(/'both'/);
});

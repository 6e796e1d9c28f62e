import {
  context,
  createTraceState,
  INVALID_SPAN_CONTEXT,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import { ExecutionContext } from "@skein/context";
import { contextHeaders, currentTraceparent } from "@skein/context/http";
import { ThreadPool } from "@skein/pool";
import { ProcessPool } from "@skein/pool/process";
import { CallState, encodeValue, runJob } from "@skein/pool/engine";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { instrument } from "../src/index.ts";
import type * as Jobs from "./fixtures/span.jobs.ts";

const exporter = new InMemorySpanExporter();
let pool: ThreadPool;
let jobs: ReturnType<typeof ThreadPool.prototype.module<typeof Jobs>>;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  );
  await import("../src/register.ts");
  pool = new ThreadPool({ maxThreads: 1, initialize: new URL("../dist/register.js", import.meta.url) });
  jobs = pool.module<typeof Jobs>(new URL("fixtures/span.jobs.ts", import.meta.url));
});
afterEach(() => exporter.reset());
afterAll(() => pool.close());

/** Within a span. @returns its context. */
async function inRequest<T>(
  body: () => PromiseLike<T>,
): Promise<{ traceId: string; spanId: string; result: T }> {
  return await trace.getTracer("test").startActiveSpan("request", async (span) => {
    const result = await body();
    span.end();
    const { traceId, spanId } = span.spanContext();
    return { traceId, spanId, result };
  });
}

it("the active span and baggage are there in a job, after its await and in its fork, and not in the next job", async () => {
  const { traceId, spanId, result } = await inRequest(() =>
    context.with(
      propagation.setBaggage(context.active(), propagation.createBaggage({ user: { value: "ada" } })),
      () => jobs.activeLater(),
    ),
  );
  const seen = { traceId, spanId, user: "ada" };
  expect(result).toEqual([seen, seen]);
  expect(await jobs.active()).toEqual({});
});

it("so they are in the processes of a ProcessPool", async () => {
  await using processes = new ProcessPool({
    maxThreads: 1,
    initialize: new URL("../dist/register.js", import.meta.url),
  });
  const { active } = processes.module<typeof Jobs>(new URL("fixtures/span.jobs.ts", import.meta.url));
  const { traceId, spanId, result } = await inRequest(() => active());
  expect(result).toEqual({ traceId, spanId });
  expect(await active()).toEqual({});
});

it("each job is a span, the child of the caller's and the active one in the job", async () => {
  using _ = instrument();
  const { traceId, spanId, result } = await inRequest(() => jobs.activeLater());
  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({
    name: "activeLater",
    kind: SpanKind.INTERNAL,
    parentSpanContext: { spanId },
    attributes: { "skein.job.outcome": "completed", "code.function.name": "activeLater" },
  });
  const seen = { traceId, spanId: span!.spanContext().spanId };
  expect(result).toEqual([seen, seen]);
});

it("requests of a job on a thread without an SDK name its span, those of a caller his own", async () => {
  using _ = instrument();
  const incoming = { traceId: "1".repeat(32), parentId: "2".repeat(16), sampled: false, random: false };
  await currentTraceparent.run(incoming, async () => {
    const { traceId, spanId, result } = await inRequest(async () => [contextHeaders(), await jobs.headers()]);
    const [job] = exporter.getFinishedSpans();
    expect(result).toEqual([
      { traceparent: `00-${traceId}-${spanId}-01` },
      { traceparent: `00-${traceId}-${job!.spanContext().spanId}-01` },
    ]);
    expect(contextHeaders()).toEqual({ traceparent: `00-${incoming.traceId}-${incoming.parentId}-00` });
    const invalid = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const before = trace.setSpan(context.active(), invalid);
    expect(context.with(before, () => contextHeaders())).toEqual(contextHeaders());
    const remote = { traceId, spanId, traceFlags: 0, traceState: createTraceState("vendor=1") };
    expect(context.with(trace.setSpanContext(context.active(), remote), () => contextHeaders())).toEqual({
      traceparent: `00-${traceId}-${spanId}-00`,
      tracestate: "vendor=1",
    });
  });
});

it("a job that fails, or whose thread ends, ends its span once, with the error", async () => {
  using _ = instrument();
  await inRequest(() => Promise.allSettled([jobs.fail(), jobs.exit()]));
  const spans = exporter.getFinishedSpans().filter(({ name }) => name !== "request");
  expect(spans.map(({ name }) => name).toSorted()).toEqual(["exit", "fail"]);
  for (const { status } of spans) expect(status.code).toBe(SpanStatusCode.ERROR);
  expect(spans.find(({ name }) => name === "fail")!.status.message).toBe("of a job");
});

it("an error that cannot be read ends its span all the same, and harms nobody", async () => {
  using _ = instrument();
  class Unreadable extends Error {
    override get message(): string {
      throw new Error("no message");
    }
    get code(): string {
      throw new Error("no code");
    }
  }
  const argument = {
    get x(): never {
      throw new Unreadable();
    },
  };
  await expect(pool.run((value: unknown) => value, [argument])).rejects.toBeInstanceOf(Unreadable);
  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({
    status: { code: SpanStatusCode.ERROR },
    attributes: { "skein.job.outcome": "refused" },
  });
});

it("what runs in a call with a span of its own sends that one, and its baggage; otherwise that of the job", async () => {
  using _ = instrument();
  const sent = (): unknown => {
    const carrier = ExecutionContext.capture()!.toCarrier()!;
    const { span, baggage } = JSON.parse(/\{.*\}/.exec(carrier)![0]) as {
      span: { spanId: string };
      baggage?: [string, string][];
    };
    return [span.spanId, ...(baggage ?? []).map(([, value]) => value)];
  };
  const inSpan = (): unknown =>
    trace.getTracer("test").startActiveSpan("own", (span) => {
      span.end();
      return [sent(), span.spanContext().spanId];
    });
  const withUser = (): unknown =>
    context.with(
      propagation.setBaggage(context.active(), propagation.createBaggage({ user: { value: "ada" } })),
      sent,
    );
  const seen: unknown[] = [];
  await inRequest(() =>
    pool.run(
      (value: unknown) => value,
      [
        {
          get x() {
            seen.push(inSpan(), withUser(), sent());
            return 1;
          },
        },
      ],
    ),
  );
  const job = exporter
    .getFinishedSpans()
    .find(({ name }) => name === "inline job")!
    .spanContext().spanId;
  const own = exporter
    .getFinishedSpans()
    .find(({ name }) => name === "own")!
    .spanContext().spanId;
  expect(seen).toEqual([[[own], own], [job, "ada"], [job]]);
});

it.each(["link", "root"] as const)("parent: %s", async (parent) => {
  using _ = instrument({ parent });
  const { traceId, spanId } = await inRequest(() => jobs.active());
  const [span] = exporter.getFinishedSpans();
  expect(span!.parentSpanContext).toBeUndefined();
  expect(span!.spanContext().traceId).not.toBe(traceId);
  expect(span!.links.map((link) => link.context.spanId)).toEqual(parent === "link" ? [spanId] : []);
});

it.each([1, 2])(
  "a map is one span with chunkSize %i, the parent of what its source and its jobs do",
  async (chunkSize) => {
    using _ = instrument();
    const { spanId, result } = await inRequest(async () => {
      const source = function* (): Generator<number> {
        trace.getTracer("test").startSpan("source").end();
        yield* [1, 2, 3];
      };
      const seen: unknown[] = [];
      for await (const each of pool.map(jobs.activeFor, source(), { chunkSize })) seen.push(each.spanId);
      return seen;
    });
    const spans = exporter.getFinishedSpans();
    const map = spans.find(({ name }) => name === "map activeFor")!;
    expect(map.parentSpanContext!.spanId).toBe(spanId);
    expect(map.attributes["skein.job.outcome"]).toBe("completed");
    const own = map.spanContext().spanId;
    expect(result).toEqual([own, own, own]);
    expect(spans.map(({ name }) => name)).toEqual(["source", "map activeFor", "request"]);
    expect(spans[0]!.parentSpanContext!.spanId).toBe(own);
  },
);

it("a map that is left, or fails, ends its span", async () => {
  using _ = instrument();
  for await (const each of pool.map(jobs.activeFor, [1, 2, 3])) {
    expect(each).toBeDefined();
    break;
  }
  const failing = pool.map(jobs.fail, [1]);
  await expect(failing.next()).rejects.toThrow("of a job");
  const outcomes = exporter.getFinishedSpans().map(({ attributes }) => attributes["skein.job.outcome"]);
  expect(outcomes).toEqual(["canceled", "failed"]);
});

it("a batch has a link for each item that was pushed in a span, and fails with its pump", async () => {
  using _ = instrument();
  const rows = new MultiProducerConcurrentConsumer<string>({
    batchSize: 3,
    pushIntervalMs: Infinity,
    maxConcurrency: 1,
    slots: 1,
    flowContext: true,
    onError: (_, __, ___, attempt) => (attempt === 1 ? "retry" : "drop"),
  });
  rows.start(() => {
    trace.getTracer("test").startSpan("inside").end();
    throw new RangeError("of a pump");
  });
  const pushers = [];
  for (const item of ["a", "b"]) pushers.push(await inRequest(async () => rows.push(item, 0)));
  rows.push("c", 0);
  await rows.complete();
  const batches = exporter.getFinishedSpans().filter(({ name }) => name === "batch items");
  expect(batches.map(({ attributes }) => attributes["skein.batch.attempt"])).toEqual([1, 2]);
  const inside = exporter.getFinishedSpans().filter(({ name }) => name === "inside");
  for (const [i, batch] of batches.entries()) {
    expect(batch.parentSpanContext).toBeUndefined();
    expect(batch.links.map(({ context: { spanId } }) => spanId)).toEqual(pushers.map(({ spanId }) => spanId));
    expect(batch.attributes).toMatchObject({ "skein.batch.size": 3, "skein.batch.outcome": "failed" });
    expect(batch.status).toEqual({ code: SpanStatusCode.ERROR, message: "of a pump" });
    expect(inside[i]!.parentSpanContext!.spanId).toBe(batch.spanContext().spanId);
  }
});

it("a consumer without flowContext has no spans", async () => {
  using _ = instrument();
  const rows = new MultiProducerConcurrentConsumer<string>({
    batchSize: 1,
    pushIntervalMs: 0,
    maxConcurrency: 1,
    slots: 1,
  });
  rows.start(() => {});
  rows.push("a", 0);
  await rows.complete();
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it.each([undefined, "child"] as const)("a run on another machine, with parent: %s", async (parent) => {
  using _ = instrument({ spans: "both", parent });
  const { traceId, spanId } = await inRequest(
    async () =>
      await runJob({
        fn: { kind: "export", url: new URL("fixtures/span.jobs.ts", import.meta.url).href, name: "active" },
        args: encodeValue([], "args").value,
        context: ExecutionContext.capture()!.toCarrier("wire"),
        state: new CallState().words,
        attempt: 1,
        isRemote: true,
        reports: null,
      }),
  );
  const [run] = exporter.getFinishedSpans();
  expect(run!.name).toBe("run active");
  expect(run!.parentSpanContext?.spanId).toBe(parent === "child" ? spanId : undefined);
  expect(run!.spanContext().traceId === traceId).toBe(parent === "child");
  expect(run!.links.map((link) => link.context.spanId)).toEqual(parent === "child" ? [] : [spanId]);
});

it("another copy of the package in the thread changes nothing, and its spans flow as well", async () => {
  const copy = new URL("../dist/", import.meta.url);
  await import(new URL("register.js", copy).href);
  const other = (await import(new URL("index.js", copy).href)) as { instrument: typeof instrument };
  using _ = other.instrument();
  const { spanId, result } = await inRequest(() => jobs.activeLater());
  const [span] = exporter.getFinishedSpans();
  expect(span!.parentSpanContext!.spanId).toBe(spanId);
  const seen = { traceId: span!.spanContext().traceId, spanId: span!.spanContext().spanId };
  expect(result).toEqual([seen, seen]);
});

it("unknown options and values are refused", () => {
  expect(() => instrument({ parents: "link" } as never)).toThrow(/parent/);
  expect(() => instrument({ parent: "sibling" as never })).toThrow(/options\.parent/);
});

/** The real Sentry on both sides, its transports in memory. */
import * as Sentry from "@sentry/node";
import { ExecutionContext } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import { afterAll, expect, it } from "vitest";
import { memoryTransport } from "./fixtures/memory-transport.ts";
import type * as Jobs from "./fixtures/sentry.jobs.ts";
import "../src/index.ts";

Sentry.init({
  dsn: "https://key@example.test/1",
  transport: memoryTransport,
  tracesSampleRate: 1,
  defaultIntegrations: false,
});
const url = new URL("fixtures/sentry.jobs.ts", import.meta.url);
const pool = new ThreadPool({ maxThreads: 1, initialize: url });
const jobs = pool.module<typeof Jobs>(url);
afterAll(async () => {
  await pool.close();
  await Sentry.close();
});

/** A request with a trace of its own. @returns its ids. */
async function request(
  name: string,
  body: () => PromiseLike<unknown>,
): Promise<{ traceId: string; spanId: string }> {
  return await Sentry.startNewTrace(() =>
    Sentry.startSpan({ name }, async (span) => {
      await body();
      return span.spanContext();
    }),
  );
}

const traceOfHere = (): string => Sentry.getTraceData()["sentry-trace"]!.split("-")[0]!;

it("errors and spans of a job, behind its await, belong to the trace of its caller; those of the next job do not", async () => {
  const caller = await request("request", () => jobs.reports("of a request"));
  await jobs.reports("of nobody");
  const sent = await jobs.sent();
  const work = sent.find(({ name }) => name === "work of a request");
  expect(work).toMatchObject({ type: "span", traceId: caller.traceId, parentSpanId: caller.spanId });
  const error = sent.find(({ name }) => name === "of a request");
  expect(error).toMatchObject({ type: "error", traceId: caller.traceId, spanId: work!.spanId });
  const other = sent.find(({ name }) => name === "of nobody");
  expect(other!.traceId).not.toBe(caller.traceId);
});

it("the trace goes to other machines as well, and another copy of the package changes nothing", async () => {
  await import(new URL("../dist/index.js", import.meta.url).href);
  const seen: string[] = [];
  const { traceId } = await request("request", async () => {
    const context = ExecutionContext.fromCarrier(ExecutionContext.capture()!.toCarrier("wire"));
    seen.push(
      Sentry.startNewTrace(() => ExecutionContext.run(context, traceOfHere)),
      traceOfHere(),
    );
  });
  expect(seen).toEqual([traceId, traceId]);
  expect(traceOfHere()).not.toBe(traceId);
});

it("requests at once do not mix", async () => {
  const names = ["a", "b", "c"];
  const callers = await Promise.all(names.map((name) => request(name, () => jobs.reports(name))));
  const sent = await jobs.sent();
  const traces = names.map((name) => sent.find((item) => item.name === name)!.traceId);
  expect(traces).toEqual(callers.map(({ traceId }) => traceId));
  expect(new Set(traces).size).toBe(3);
});

it("each job has an isolation scope of its own, within a request too", async () => {
  await Sentry.startSpan({ name: "request" }, async () => {
    expect(await jobs.tags("first")).toBeUndefined();
    expect(await jobs.tags("second")).toBeUndefined();
  });
});

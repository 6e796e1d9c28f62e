import { Agent } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { AsyncLocal, ExecutionContext } from "@skein/context";
import {
  contextHeaders,
  correlation,
  correlationId,
  currentBaggage,
  currentTraceparent,
  currentTracestate,
} from "@skein/context/http";
import { untyped } from "../untyped.ts";
import { closeServers, get, listen, open, reply } from "./local-server.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
afterEach(closeServers);

describe("correlation", () => {
  it("takes the id from the header, and echoes it", async () => {
    const middleware = correlation();
    const port = await listen((req, res) => middleware(req, res, () => reply(res, correlationId.value)));
    const { headers, body } = await get(port, { "x-request-id": "abc-1.2:3/4+5=~@_" });
    expect([headers["x-request-id"], body]).toEqual(["abc-1.2:3/4+5=~@_", "abc-1.2:3/4+5=~@_"]);
    expect(correlationId.value).toBeUndefined();
  });

  it.each([
    ["missing", {}],
    ["empty", { "x-request-id": "" }],
    ["too long", { "x-request-id": "x".repeat(129) }],
    ["with other characters", { "x-request-id": "a b" }],
    ["with markup", { "x-request-id": "<script>" }],
    ["sent twice", { "x-request-id": ["a", "b"] }],
  ])("makes an id where it is %s", async (_, sent) => {
    const middleware = correlation();
    const port = await listen((req, res) => middleware(req, res, () => reply(res, correlationId.value)));
    const { headers, body } = await get(port, sent);
    expect(body).toMatch(uuid);
    expect(headers["x-request-id"]).toBe(body);
  });

  it("uses another header and another local", async () => {
    const local = new AsyncLocal<string>();
    const middleware = correlation({ header: "X-Correlation-ID", local });
    const port = await listen((req, res) =>
      middleware(req, res, () =>
        reply(res, [local.value, correlationId.value, contextHeaders({ header: "X-Correlation-ID", local })]),
      ),
    );
    const { headers, body } = await get(port, { "x-correlation-id": "mine" });
    expect(body).toEqual(["mine", null, { "X-Correlation-ID": "mine" }]);
    expect(headers["x-correlation-id"]).toBe("mine");
  });

  it("returns what next returns and keeps requests apart", async () => {
    const middleware = correlation();
    const bothHere = Promise.withResolvers<void>();
    let waiting = 0;
    const port = await listen((req, res) => {
      void middleware(req, res, async () => {
        if (++waiting === 2) bothHere.resolve();
        await bothHere.promise;
        reply(res, correlationId.value);
      });
    });
    const answers = await Promise.all(["one", "two"].map((id) => get(port, { "x-request-id": id })));
    expect(answers.map(({ body }) => body)).toEqual(["one", "two"]);
  });

  it("handlers of a late POST body, and of the response's end, run in the request's context", async () => {
    const middleware = correlation();
    const handling = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<unknown>();
    const port = await listen((req, res) =>
      middleware(req, res, () => {
        const seen: unknown[] = [];
        let body = "";
        req.on("data", (chunk: Buffer) => {
          body += chunk.toString();
          seen.push(correlationId.value);
        });
        req.on("end", () => {
          seen.push(correlationId.value);
          // What is started from the handler has it too.
          setImmediate(() => reply(res, [body, ...seen, correlationId.value]));
        });
        res.on("finish", () => finished.resolve(correlationId.value));
        handling.resolve();
      }),
    );
    const { req, answer } = open(port, { method: "POST", headers: { "x-request-id": "late" } });
    req.write("first ");
    await handling.promise;
    await new Promise((resolve) => setImmediate(resolve));
    req.end("second");
    const { body } = await answer;
    expect(body).toEqual(["first second", "late", "late", "late", "late"]);
    expect(await finished.promise).toBe("late");
  });

  it("a later request on the same connection has its own context", async () => {
    const middleware = correlation();
    const port = await listen((req, res) =>
      middleware(req, res, () => {
        req.resume();
        req.on("end", () => reply(res, correlationId.value));
      }),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const bodies: unknown[] = [];
    for (const id of ["first", "second"]) {
      const { req, answer } = open(port, { method: "POST", agent, headers: { "x-request-id": id } });
      req.end("body");
      bodies.push((await answer).body);
    }
    agent.destroy();
    expect(bodies).toEqual(["first", "second"]);
  });

  it("an event that code of the request emits keeps the context of that code", async () => {
    const middleware = correlation();
    const step = new AsyncLocal<string>();
    const port = await listen((req, res) =>
      middleware(req, res, () => {
        req.on("custom", () => reply(res, [step.value, correlationId.value]));
        step.run("inner", () => req.emit("custom"));
      }),
    );
    expect((await get(port, { "x-request-id": "r" })).body).toEqual(["inner", "r"]);
  });

  describe("a second one for the same request", () => {
    it("keeps the id, and listeners of the request run in the inner context", async () => {
      const [outer, inner] = [correlation(), correlation()];
      const step = new AsyncLocal<string>();
      const finished = Promise.withResolvers<unknown>();
      const handling = Promise.withResolvers<void>();
      const port = await listen((req, res) =>
        outer(req, res, () => {
          const first = correlationId.value;
          req.on("custom", () => finished.resolve(step.value));
          step.run("inner", () =>
            inner(req, res, () => {
              const seen: unknown[] = [first, correlationId.value];
              req.on("data", () => seen.push(correlationId.value, step.value));
              req.on("end", () => reply(res, seen));
              handling.resolve();
            }),
          );
          // Code of the request, of the outer context as well, keeps its own.
          step.run("emitter", () => req.emit("custom"));
        }),
      );
      const { req, answer } = open(port, { method: "POST" });
      req.write("first");
      await handling.promise;
      await new Promise((resolve) => setImmediate(resolve));
      req.end();
      const { headers, body } = await answer;
      const id = headers["x-request-id"];
      expect(id).toMatch(uuid);
      expect(body).toEqual([id, id, id, "inner"]);
      expect(await finished.promise).toBe("emitter");
    });

    it("with a header of its own takes the id from there, and otherwise shares that of its local", async () => {
      const own = new AsyncLocal<string>();
      const middlewares = [
        correlation(),
        correlation({ header: "x-other" }),
        correlation({ header: "x-apart", local: own }),
      ];
      const port = await listen((req, res) => {
        const next = (index: number): void =>
          index === middlewares.length
            ? reply(res, [correlationId.value, own.value])
            : middlewares[index]!(req, res, () => next(index + 1));
        next(0);
      });
      const made = await get(port);
      const [id, apart] = made.body as [string, string];
      expect(made.headers).toMatchObject({ "x-request-id": id, "x-other": id, "x-apart": apart });
      expect(apart).not.toBe(id);
      const given = await get(port, { "x-other": "theirs", "x-apart": "apart" });
      expect(given.body).toEqual(["theirs", "apart"]);
      expect(given.headers).toMatchObject({ "x-other": "theirs", "x-apart": "apart" });
      expect((await get(port)).headers["x-request-id"]).not.toBe(id);
    });
  });

  const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const look = (): unknown[] => [
    currentTraceparent.value?.parentId ?? null,
    currentTracestate.value ?? null,
    currentBaggage.value ?? null,
  ];

  it("takes traceparent with tracestate, and baggage only where it is asked to", async () => {
    const sent = { traceparent: parent, tracestate: "a=1", baggage: "user=x" };
    for (const baggage of [false, true]) {
      const middleware = correlation({ baggage });
      const port = await listen((req, res) =>
        middleware(req, res, () => reply(res, [...look(), contextHeaders()])),
      );
      const { body } = await get(port, { ...sent, "x-request-id": "r" });
      expect(body).toEqual([
        "00f067aa0ba902b7",
        [{ key: "a", value: "1" }],
        baggage ? [{ key: "user", value: "x" }] : null,
        {
          "x-request-id": "r",
          traceparent: parent,
          tracestate: "a=1",
          ...(baggage ? { baggage: "user=x" } : {}),
        },
      ]);
    }
  });

  it.each([
    [
      "an invalid traceparent takes tracestate with it",
      { traceparent: "nonsense", tracestate: "a=1" },
      [null, null, null],
    ],
    ["tracestate alone", { tracestate: "a=1" }, [null, null, null]],
    [
      "an invalid tracestate leaves traceparent",
      { traceparent: parent, tracestate: "A=!" },
      ["00f067aa0ba902b7", null, null],
    ],
    ["two traceparents", { traceparent: [parent, parent] }, [null, null, null]],
    ["malformed baggage", { baggage: ";;;=" }, [null, null, null]],
  ])("ignores %s", async (_, sent, expected) => {
    const middleware = correlation({ baggage: true });
    const port = await listen((req, res) => middleware(req, res, () => reply(res, look())));
    expect((await get(port, sent)).body).toEqual(expected);
  });

  it("does not take the trace of the place where the server was started", async () => {
    const middleware = correlation();
    const port = await currentTraceparent.run(
      { traceId: "1".repeat(32), parentId: "2".repeat(16), sampled: true, random: false },
      () => listen((req, res) => middleware(req, res, () => reply(res, look()))),
    );
    expect((await get(port)).body).toEqual([null, null, null]);
  });

  it.each([
    ["header", ""],
    ["header", "a b"],
    ["header", 1],
    ["local", {}],
    ["baggage", "yes"],
  ])("refuses a wrong option: %s = %o", (name, value) => {
    expect(() => correlation({ [name]: value })).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });
});

describe("contextHeaders", () => {
  it("is empty where nothing is set", () => {
    expect(contextHeaders()).toEqual({});
  });

  it.each(["a\r\nx-evil: 1", "żółw", " a", "a ", "a\t", 5])(
    "refuses an id that no header can hold: %j",
    (id) => {
      correlationId.run(untyped(id), () =>
        expect(() => contextHeaders()).toThrow(
          expect.objectContaining({
            name: "TypeError",
            code: "ERR_SKEIN_INVALID_ARG_TYPE",
            message: expect.stringContaining("`x-request-id`") as string,
          }),
        ),
      );
    },
  );

  it.each(["", "a", "a b", "{~}", "é"])("takes any other id: %j", (id) => {
    correlationId.run(id, () => expect(contextHeaders()).toEqual({ "x-request-id": id }));
  });

  it("leaves out tracestate without traceparent, and empty lists", () => {
    ExecutionContext.isolate(() => {
      currentTracestate.value = [{ key: "a", value: "1" }];
      currentBaggage.value = [];
      expect(contextHeaders()).toEqual({});
    });
  });

  it("the trace goes onto the wire in the form of its headers", () => {
    ExecutionContext.isolate(() => {
      correlationId.value = "r";
      currentTraceparent.value = {
        traceId: "1".repeat(32),
        parentId: "2".repeat(16),
        sampled: true,
        random: true,
      };
      currentTracestate.value = [{ key: "a", value: "1" }];
      currentBaggage.value = [{ key: "k", value: "ü" }];
      const headers = contextHeaders();
      const carrier = ExecutionContext.capture()!.toCarrier("wire")!;
      expect(carrier).toContain(headers["traceparent"]);
      expect(carrier).toContain("k=%C3%BC");
      ExecutionContext.run(ExecutionContext.fromCarrier(carrier), () =>
        expect(contextHeaders()).toEqual(headers),
      );
    });
  });
});

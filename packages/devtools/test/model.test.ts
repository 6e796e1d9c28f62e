/** What the page makes of what it is told, without a browser. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ticksOf } from "../src/page/axis.ts";
import { bytes, duration, jobName, rate } from "../src/page/format.ts";
import { describeSlice } from "../src/page/lanes.ts";
import { Model } from "../src/page/model.ts";
import { POLICY_BANDS } from "../src/page/policies.ts";
import { search } from "../src/page/search.ts";
import { SliceRing } from "../src/page/slice-ring.ts";
import { MAX_SPAN_US, MIN_SPAN_US, Viewport } from "../src/page/viewport.ts";
import { whyWaiting } from "../src/page/why-waiting.ts";
import { hasNews } from "../src/server/encode-batch.ts";
import { eventBytes } from "../src/server/event-bytes.ts";
import {
  type Batch,
  FEED_VERSION,
  type Hello,
  KINDS,
  NONE_QUEUED,
  OUTCOMES,
  parseMessage,
  POLICIES,
  PRIORITIES,
  type Slice,
  sliceCode,
} from "../src/wire.ts";
import { coloursOf, contrast, leastDifference } from "./colours.ts";

const hello: Hello = {
  type: "hello",
  version: FEED_VERSION,
  session: "a",
  pool: { id: 1, name: "orders" },
  program: { pid: 1, node: "v24", title: "x" },
  epochMs: 0,
  nowUs: 0,
  controls: false,
  functions: [
    [1, "report"],
    [2, "price"],
  ],
};

type Told = Partial<Slice> & Pick<Slice, "kind" | "start">;

/** Of thread 0, the main thread, or another. */
function batch(
  nowUs: number,
  threads: Readonly<Record<number, readonly Told[]>>,
  more: Partial<Batch> = {},
): Batch {
  return {
    type: "batch",
    nowUs,
    oneIn: 1,
    queued: NONE_QUEUED,
    threads: Object.entries(threads).map(([id, slices]) => ({
      threadId: Number(id),
      index: Number(id) - 1,
      dropped: 0,
      loopDelayUs: id === "0" ? null : 1000,
      exit: null,
      slices: Float64Array.from(slices.flatMap((slice) => numbersOf(slice))),
    })),
    functions: [],
    contexts: [],
    details: [],
    ...more,
  };
}

function numbersOf({
  kind,
  start,
  end = start,
  job = 0,
  fn = 1,
  priority = "normal",
  policy = "default",
  outcome = null,
  ref = 0,
}: Told): number[] {
  const info =
    kind === "submit"
      ? POLICIES.indexOf(policy ?? "default")
      : outcome === null
        ? -1
        : OUTCOMES.indexOf(outcome);
  return [sliceCode(KINDS.indexOf(kind), PRIORITIES.indexOf(priority), info), start, end, job, fn, ref];
}

function watched(...batches: Batch[]): Model {
  const model = new Model();
  model.apply(hello);
  for (const each of batches) model.apply(each);
  return model;
}

describe("a model", () => {
  it("puts a job together from what different threads tell, in whatever order", () => {
    const model = watched(
      batch(100, { 1: [{ kind: "run", start: 30, end: 50, job: 4, outcome: "completed", ref: 10 }] }),
      batch(200, {
        0: [
          { kind: "submit", start: 10, end: 12, job: 4 },
          { kind: "settle", start: 60, job: 4, outcome: "completed" },
        ],
      }),
    );
    expect(model.jobs.get(4)).toMatchObject({
      submitted: 10,
      began: 30,
      ranUs: 20,
      finished: 50,
      settled: 60,
      lane: 1,
    });
    expect(model.slowest.map(({ id }) => id)).toEqual([4]);
    expect(model.times.get(1)).toMatchObject({ calls: 1, selfUs: 20 });
  });

  it("counts what runs inside another call once", () => {
    const model = watched(
      batch(100, {
        1: [
          { kind: "run", start: 20, end: 50, job: 8, fn: 2, outcome: "completed" },
          { kind: "joining", start: 60, end: 70 },
          { kind: "run", start: 10, end: 90, job: 4, fn: 1, outcome: "completed" },
        ],
      }),
    );
    expect([model.times.get(1)!.selfUs, model.times.get(2)!.selfUs]).toEqual([40, 30]);
  });

  it("keeps when a job awaited something, also when that is over, and when its thread has died", () => {
    const model = watched(
      batch(100, {
        1: [
          { kind: "run", start: 10, end: 20, job: 4, outcome: "awaiting" },
          { kind: "run", start: 21, end: 22, job: 8, outcome: "awaiting" },
          { kind: "resume", start: 40, end: 50, job: 4, outcome: "awaiting" },
          { kind: "finish", start: 70, end: 75, job: 4, outcome: "completed" },
        ],
      }),
      batch(200, { 0: [{ kind: "settle", start: 150, job: 8, outcome: "crashed" }] }),
    );
    const { awaits } = model.laneOf(1)!;
    const kept = Array.from({ length: awaits.count }, (_, i) => [
      awaits.job[i],
      awaits.start[i],
      awaits.end[i],
    ]);
    expect(kept).toEqual([
      [4, 20, 40],
      [4, 50, 70],
      [8, 22, 150],
    ]);
    expect(model.awaiting.size).toBe(0);
  });

  it("tells for a settlement how what awaits the job goes on", () => {
    const settle = { kind: "settle", start: 60, end: 65, job: 4, fn: 2, outcome: "failed" } as const;
    const submit = { kind: "submit", start: 10, job: 4, fn: 2, policy: "inline" } as const;
    const model = watched(batch(100, { 0: [submit, settle] }));
    const slice: Slice = { priority: "normal", policy: null, ref: 0, ...settle };
    expect(describeSlice(model, model.laneOf(0)!, slice)).toEqual([
      "price settles",
      "main, 5 µs, failed, continuation inline",
    ]);
    expect(POLICIES[model.laneOf(0)!.slices.policy[1]!]).toBe("inline");
  });

  it.each(["light", "dark"] as const)("shows policies that everybody can tell apart, in the %s", (scheme) => {
    const colours = coloursOf(scheme, "p-");
    expect([...colours.keys()].toSorted()).toEqual([...POLICIES].toSorted());
    const idle = coloursOf(scheme, "idle").get("")!;
    // What failed has a colour of its own in the same row.
    const shown = [...colours.values(), coloursOf(scheme, "bad").get("")!];
    for (const [i, one] of shown.entries()) {
      expect(contrast(one, idle)).toBeGreaterThan(3);
      for (const other of shown.slice(i + 1)) expect(leastDifference(one, other)).toBeGreaterThan(0.1);
    }
    // And without colours, by their places.
    expect(new Set(POLICY_BANDS.map((bands) => JSON.stringify(bands))).size).toBe(POLICIES.length);
  });

  it("estimates what functions take while one job in several is told", () => {
    const run = { kind: "run", job: 4, outcome: "failed" } as const;
    const model = watched(
      batch(100, { 1: [{ ...run, start: 10, end: 20 }] }),
      batch(200, { 1: [{ ...run, start: 110, end: 120 }] }, { oneIn: 8 }),
    );
    expect(model.times.get(1)).toMatchObject({ calls: 9, selfUs: 90, longestUs: 10, failed: 9 });
  });

  it("finds a correlation id over all hops", () => {
    const model = watched(
      batch(
        100,
        {
          0: [{ kind: "submit", start: 1, job: 4 }],
          1: [
            { kind: "submit", start: 5, job: 8, ref: 4 },
            { kind: "submit", start: 6, job: 12 },
          ],
        },
        { contexts: [[4, { correlationId: "request-1" }]] },
      ),
    );
    expect([...search(model, "REQUEST-1")!.ids]).toEqual([4, 8]);
    expect(search(model, " ")).toBeNull();
  });

  it("says what a job waits for", () => {
    const model = watched(
      batch(1000, {
        0: [
          { kind: "submit", start: 10, job: 4 },
          { kind: "submit", start: 20, job: 8, fn: 2 },
          { kind: "submit", start: 30, job: 12, fn: 2 },
        ],
        1: [{ kind: "run", start: 100, end: -1, job: 4, ref: 10 }],
      }),
    );
    expect(whyWaiting(model, model.jobs.get(8)!).join(" ")).toBe(
      "It is the next of priority “normal”. All 1 threads are busy; thread 1 has run report for 900 µs.",
    );
    expect(whyWaiting(model, model.jobs.get(12)!)[0]).toBe(
      "1 job of priority “normal” came before and still waits.",
    );
    expect(whyWaiting(model, model.jobs.get(4)!)[0]).toBe("Its function runs on thread 1, since 900 µs.");
    model.apply(
      batch(2000, {
        1: [
          { kind: "submit", start: 1100, job: 16, fn: 2, ref: 4 },
          { kind: "run", start: 100, end: 1200, job: 4, outcome: "awaiting", ref: 10 },
        ],
      }),
    );
    expect(whyWaiting(model, model.jobs.get(4)!)).toEqual([
      "It awaits since 800 µs.",
      "Jobs that it has submitted have yet to settle: price (0-4, queued).",
    ]);
  });

  it("says that a free thread may be none for the job, while there are jobs for one thread alone", () => {
    const submitted = batch(10, { 0: [{ kind: "submit", start: 1, job: 4 }], 1: [] });
    const why = (placed: number): string => {
      const model = watched({ ...submitted, queued: [0, 0, 0, 0, placed] });
      return whyWaiting(model, model.jobs.get(4)!).at(-1)!;
    };
    expect(why(0)).toBe("A thread is free: it takes the job at any moment, or jobs of its own hold it.");
    expect(why(1)).toBe(
      "A thread is free: it takes the job at any moment, unless the job is for another thread alone, or jobs of its own hold it.",
    );
  });

  it("forgets of a job that it forgets that it awaits something: nobody would hear of its end", () => {
    const model = new Model();
    const told: Told[] = [{ kind: "run", start: 10, end: 20, job: 1, fn: 1, ref: 5, outcome: "awaiting" }];
    model.apply(batch(30, { 1: told }));
    expect(model.awaiting.size).toBe(1);
    const step = 20_000;
    for (let from = 2; model.jobs.has(1); from += step) {
      const others = Array.from({ length: step }, (_, i): Told => ({
        kind: "submit",
        start: from + i,
        end: from + i,
        job: from + i,
        fn: 2,
      }));
      model.apply(batch(from + step, { 0: others }));
    }
    model.apply(batch(1e6, { 1: [{ kind: "resume", start: 9e5, end: 95e4, job: 1, fn: 1 }] }));
    expect(model.awaiting.size).toBe(0);
  });

  it("forgets what another program has told", () => {
    const model = watched(batch(100, { 0: [{ kind: "submit", start: 1, job: 4 }] }));
    model.apply({ ...hello, session: "b" });
    expect([model.jobs.size, model.lanes.length]).toEqual([0, 0]);
  });
});

describe("the wire", () => {
  it("brings messages as they were, whatever is in them", () => {
    const job = 2 ** 52 + 3;
    const sent = batch(
      1e9,
      {
        0: [
          {
            kind: "submit",
            start: 0.1,
            end: 7e12,
            job,
            fn: 2 ** 40,
            priority: "low",
            policy: "scheduler",
            ref: 9,
          },
        ],
        1: [],
        2: [
          { kind: "cancel", start: 1 },
          { kind: "run", start: 2, end: -1, job: 4, outcome: "unfinished" },
        ],
      },
      { functions: [[1, "zwölf\ndata: “x”"]], details: [[4, "TypeError", "    at a\n    at b"]] },
    );
    for (const message of [hello, sent, { type: "closed" } as const]) {
      const lines = String(eventBytes(message)).split("\n");
      expect(lines.slice(-2)).toEqual(["", ""]);
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      expect(parseMessage(data.join("\n"))).toEqual(message);
    }
  });
});

describe("a batch without slices", () => {
  const silent = batch(100, { 0: [], 1: [] });
  const [main, thread] = silent.threads as [Batch["threads"][number], Batch["threads"][number]];
  const exit = { exitCode: 0, crashed: false };
  it.each<[string, Partial<Batch>, boolean]>([
    ["nothing", {}, false],
    ["a function", { functions: [[1, "price"]] }, true],
    ["a context", { contexts: [[4, { correlationId: "a" }]] }, true],
    ["an error", { details: [[4, "TypeError", null]] }, true],
    ["a thread that has ended", { threads: [main, { ...thread, exit }] }, true],
    ["an event loop that was late", { threads: [main, { ...thread, loopDelayUs: 80_000 }] }, true],
  ])("has news if it tells of %s", (_, more, expected) => {
    expect(hasNews({ ...silent, ...more })).toBe(expected);
  });
});

describe("a ring of slices", () => {
  it("knows how deep each lies, and finds those that end from a time on, also beyond its first size", () => {
    // Calls: [gap before, time of its own, calls inside].
    const { call } = fc.letrec<{ call: [number, number, readonly unknown[]] }>((tie) => ({
      call: fc.tuple(
        fc.nat(3),
        fc.integer({ min: 1, max: 5 }),
        fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie("call"), { maxLength: 3 })),
      ),
    }));
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), fc.nat(200), (calls, from) => {
        const ring = new SliceRing();
        const expected: { start: number; end: number; depth: number }[] = [];
        let now = 0;
        const play = ([gap, own, inside]: [number, number, readonly unknown[]], depth: number): void => {
          now += gap;
          const start = now++;
          for (const each of inside) play(each as [number, number, readonly unknown[]], depth + 1);
          now += own;
          expected.push({ start, end: now, depth });
          ring.add({
            kind: "run",
            start,
            end: now,
            job: 4,
            fn: 1,
            priority: "normal",
            policy: null,
            outcome: null,
            ref: 0,
          });
        };
        for (const each of calls) play(each, 0);
        expect(expected.map((_, i) => ring.depth[ring.at(i)])).toEqual(expected.map(({ depth }) => depth));
        const first = expected.findIndex(({ end }) => end >= from);
        expect(ring.endingFrom(from)).toBe(first < 0 ? expected.length : first);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps the newest", () => {
    const ring = new SliceRing();
    for (let n = 0; n < 140_000; n++)
      ring.add({
        kind: "run",
        start: n,
        end: n + 0.5,
        job: n,
        fn: 1,
        priority: "low",
        policy: null,
        outcome: "failed",
        ref: 0,
      });
    expect([ring.count, ring.first]).toEqual([140_000, 140_000 - 131_072]);
    expect([ring.job[ring.at(ring.first)], ring.job[ring.at(139_999)]]).toEqual([ring.first, 139_999]);
    expect([ring.kindAt(5), ring.outcomeAt(5)]).toEqual(["run", "failed"]);
  });
});

describe("a viewport", () => {
  it("follows the present until it is paused, and zooms within bounds around a point", () => {
    const view = new Viewport();
    expect(view.advance(0)).toBe(false);
    view.heard(1e6, 500);
    expect([view.advance(1000), view.endUs]).toEqual([true, 1.25e6]);
    view.pan(-1e6);
    expect([view.isPaused, view.advance(2000), view.endUs]).toEqual([true, false, 0.25e6]);
    view.spanUs = 1e6;
    view.zoom(0.5, 0);
    expect([view.startUs, view.spanUs]).toEqual([-0.75e6, 0.5e6]);
    view.zoom(1e-12);
    expect(view.spanUs).toBe(MIN_SPAN_US);
    view.zoom(1e12);
    expect(view.spanUs).toBe(MAX_SPAN_US);
    view.pause(false);
    view.stopAt(2e6);
    expect([view.advance(9000), view.endUs]).toEqual([true, 2.25e6]);
  });
});

describe("numbers", () => {
  it("have three digits and a unit", () => {
    expect([0, 0.5, 12.34, 999.6, 12_345, 2.5e6, 83e6].map((us) => duration(us))).toEqual([
      "0",
      "<1 µs",
      "12.3 µs",
      "1 ms",
      "12.3 ms",
      "2.5 s",
      "1 min 23 s",
    ]);
    expect([bytes(2048), bytes(5 * 2 ** 20), bytes(3 * 2 ** 30)]).toEqual(["2 KB", "5 MB", "3 GB"]);
    expect([rate(0.5), rate(1234.4)]).toEqual(["0.5", "1,234"]);
    expect(jobName((3 * 2 ** 31 + 7) * 4 + 1)).toBe("3-7");
  });

  it("stand at round times on the axis, none before the beginning", () => {
    expect(ticksOf(-1e6, 2e6, 660).map(({ label }) => label)).toEqual([
      "0.0 s",
      "0.5 s",
      "1.0 s",
      "1.5 s",
      "2.0 s",
    ]);
    expect(ticksOf(1e6, 1e6 + 100, 220).map(({ label }) => label)).toEqual([
      "1.00000 s",
      "1.00005 s",
      "1.00010 s",
    ]);
  });
});

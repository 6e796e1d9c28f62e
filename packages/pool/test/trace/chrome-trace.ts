/** Reads a trace, and checks what holds for every one: that it is in the format, and that what it shows is possible. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";

export interface TraceEvent {
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly name: string;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: string;
  readonly bp?: string;
  readonly s?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** "JSON Object Format": other fields are allowed, and mean nothing. */
export interface ChromeTrace {
  readonly displayTimeUnit: string;
  readonly otherData: Readonly<Record<string, string | number>>;
  readonly traceEvents: readonly TraceEvent[];
}

/** What the format asks of each phase, besides ph, pid, tid, ts and name. */
const REQUIRED: Readonly<Record<string, readonly (keyof TraceEvent)[]>> = {
  M: ["args"],
  X: ["dur"],
  i: ["s"],
  C: ["args"],
  s: ["cat", "id"],
  t: ["cat", "id"],
  f: ["cat", "id"],
  b: ["cat", "id"],
  e: ["cat", "id"],
};

/** What the format knows, of what there is here. */
const KNOWN: Readonly<Record<string, readonly unknown[]>> = {
  s: ["g", "p", "t"],
  bp: ["e"],
};
const METADATA: Readonly<Record<string, string>> = {
  process_name: "name",
  thread_name: "name",
  thread_sort_index: "sort_index",
};

export function readTraceFile(file: string): ChromeTrace {
  return assertTrace(readFileSync(file, "utf8"));
}

/** The text of a trace, once it is checked. */
export function assertTrace(text: string): ChromeTrace {
  const trace = JSON.parse(text) as ChromeTrace;
  expect(["ms", "ns"]).toContain(trace.displayTimeUnit);
  assertFormat(trace.traceEvents);
  assertAsynchronous(trace.traceEvents);
  assertNesting(trace.traceEvents);
  assertArrows(trace.traceEvents);
  return trace;
}

export function slices(trace: ChromeTrace, name: string): TraceEvent[] {
  return trace.traceEvents.filter((event) => event.ph === "X" && event.name === name);
}

export function moments(trace: ChromeTrace, name: string): TraceEvent[] {
  return trace.traceEvents.filter((event) => event.ph === "i" && event.name === name);
}

/** The arrows of a job, in time: from where to where. */
export function journey(trace: ChromeTrace, job: unknown): TraceEvent[] {
  return trace.traceEvents
    .filter(({ ph, id }) => "stf".includes(ph) && id === job)
    .toSorted((a, b) => a.ts - b.ts);
}

/** The innermost slice of a track at a moment. */
export function sliceAt(trace: ChromeTrace, { tid, ts }: TraceEvent): TraceEvent | undefined {
  return trace.traceEvents
    .filter((event) => event.ph === "X" && event.tid === tid && event.ts <= ts && ts <= endOf(event))
    .toSorted((a, b) => a.ts - b.ts)
    .at(-1);
}

export function endOf({ ts, dur }: TraceEvent): number {
  return Math.round((ts + dur!) * 1000) / 1000;
}

function assertFormat(events: readonly TraceEvent[]): void {
  const wrong = events.filter(
    (event) =>
      REQUIRED[event.ph] === undefined ||
      REQUIRED[event.ph]!.some((field) => event[field] === undefined) ||
      ![event.pid, event.tid].every((n) => Number.isInteger(n) && n >= 0) ||
      !(Number.isFinite(event.ts) && event.ts >= 0) ||
      ![event.name, event.cat ?? "x", event.id ?? "x"].every(
        (text) => typeof text === "string" && text !== "",
      ) ||
      (event.dur !== undefined && !(Number.isFinite(event.dur) && event.dur >= 0)) ||
      Object.entries(KNOWN).some(([field, known]) => {
        const value = event[field as "s" | "bp"];
        return value !== undefined && !known.includes(value);
      }) ||
      (event.ph === "M" && Object.keys(event.args!).join() !== METADATA[event.name]) ||
      (event.ph === "C" &&
        !Object.values(event.args!).every((n) => Number.isInteger(n) && (n as number) >= 0)),
  );
  expect(wrong).toEqual([]);
  const named = new Set(events.filter(({ name }) => name === "thread_name").map(({ tid }) => tid));
  expect(events.filter(({ tid }) => !named.has(tid) && tid !== 0)).toEqual([]);
}

/** Those with the same category, id and name are pairs: each begins before it ends. Of a job that ran again there may be several. */
function assertAsynchronous(events: readonly TraceEvent[]): void {
  const pairs = Map.groupBy(
    events.filter(({ ph }) => ph === "b" || ph === "e"),
    ({ cat, id, name }) => `${cat} ${id} ${name}`,
  );
  const wrong: unknown[] = [];
  for (const each of pairs.values()) {
    let open = 0;
    for (const { ph } of each.toSorted((a, b) => a.ts - b.ts || (a.ph < b.ph ? -1 : 1))) {
      open += ph === "b" ? 1 : -1;
      if (open < 0) wrong.push(["ends before it begins", each]);
    }
    if (open !== 0) wrong.push(["does not end", each]);
  }
  expect(wrong).toEqual([]);
}

/** Slices of a track are in the order of their starts, and each is within the one that is open. */
function assertNesting(events: readonly TraceEvent[]): void {
  const wrong: unknown[] = [];
  for (const tid of new Set(events.map((event) => event.tid))) {
    const open: TraceEvent[] = [];
    let last = -Infinity;
    for (const slice of events.filter((event) => event.ph === "X" && event.tid === tid)) {
      if (slice.ts < last) wrong.push(["out of order", slice]);
      last = slice.ts;
      while (open.length > 0 && endOf(open.at(-1)!) <= slice.ts) open.pop();
      if (open.length > 0 && endOf(open.at(-1)!) < endOf(slice)) wrong.push(["overlaps", open.at(-1), slice]);
      open.push(slice);
    }
  }
  expect(wrong).toEqual([]);
}

/** Each flow begins once, ends once, and runs forward; each of its points is the start of a slice. */
function assertArrows(events: readonly TraceEvent[]): void {
  const starts = new Set(events.filter(({ ph }) => ph === "X").map(({ tid, ts }) => `${tid} ${ts}`));
  const flows = Map.groupBy(
    events.filter(({ ph }) => "stf".includes(ph)),
    ({ id }) => id,
  );
  const wrong: unknown[] = [];
  for (const points of flows.values()) {
    const inOrder = points.toSorted((a, b) => a.ts - b.ts);
    const phases = inOrder.map(({ ph }) => ph).join("");
    if (!/^st*f$/.test(phases)) wrong.push([phases, inOrder]);
    if (inOrder.at(-1)!.bp !== "e") wrong.push(["binds to the next slice", inOrder.at(-1)]);
    for (const point of points) {
      if (!starts.has(`${point.tid} ${point.ts}`)) wrong.push(["outside a slice", point]);
    }
  }
  expect(wrong).toEqual([]);
}

/** How values cross: objects, strings, bytes copied, bytes transferred, shared memory; 8 bytes to 64 MB. */
import * as pool from "@skein/pool";
import type { Metric, Reason, Scale, Scenario, Section } from "../method/scenario.ts";
import { quantile } from "../method/statistics.ts";
import { comlink } from "../peers/comlink.ts";
import { piscina } from "../peers/piscina.ts";
import { poolifier } from "../peers/poolifier.ts";
import type { JobPool, Product } from "../peers/product.ts";
import { rawPort } from "../peers/raw-port.ts";
import { skein } from "../peers/skein.ts";
import { tinypool } from "../peers/tinypool.ts";
import { workerPool } from "../peers/workerpool.ts";
import { poolContender } from "./contender.ts";
import { longEnough, ROUND_MS } from "./rounds.ts";
import {
  copiedKind,
  objectKind,
  oneWayKind,
  type PayloadKind,
  sharedKind,
  stringKind,
  transferredKind,
} from "./payload-kinds.ts";

const metrics: readonly Metric[] = [
  { key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" },
  { key: "tripUs", title: "round trip p50", unit: "us", better: "lower" },
];

const KINDS = [objectKind, stringKind, copiedKind, oneWayKind, transferredKind, sharedKind];

/** At most: see `budget`. */
const CALLS_UNDER_WAY = 64;
/** Above this, peers that only differ in their queue are the same thing, and left out. */
const LARGE = 2 ** 20;

/** Of all jobs with a long text. */
export const textReason: Reason = {
  basis: "measured",
  why: "arguments come through the arena, which is shared memory, and Node.js copies shared memory before it makes a string of it: `latin1Slice` of 64 MB took 88 ms from shared memory, 44 ms from memory of its own (pool/src/codec/byte-reader.ts)",
  change:
    "strings from shared memory without a copy, in Node.js; sending the bytes that came from the network",
};
/** Of all jobs with large blocks of bytes. A message copies them as often. */
export const bytesReason: Reason = {
  why: "arguments are copied into the arena and out of it, results are copied once and moved; the thread of the job allocates for both (pool/src/worker/outcome-writer.ts). While one side copies, the other falls asleep, and is woken as after a pause: see Trivial jobs",
  change: "`transfer`, or shared memory",
};

export const payloads: Section = {
  name: "payloads",
  title: "Payloads",
  question: "How fast do values cross, by kind and size?",
  method:
    "One thread. Throughput: calls are kept under way up to a bound on their number and bytes, again and again until a round has lasted long enough " +
    "to be timed. Round trip: one call after the other. " +
    "Objects are arrays of small records, and as large as their JSON would be. Transferred buffers travel on: each result is the next " +
    "argument, and a call after which the buffer is not detached has failed. Skein copies small ones, up to 16 KB, and detaches them. poolifier cannot transfer a result, its way back is a copy.",
  scenarios: (scale) => KINDS.filter(isPossible).flatMap((kind) => scenariosOf(kind, scale)),
  groups: Object.fromEntries(KINDS.map(({ name, title }) => [`payload-${name}`, capitalized(title)])),
  figures: KINDS.map(({ name, title }) => ({
    name: `payload-${name}`,
    question: `How many calls a second: ${title}?`,
    of: `payload-${name}`,
    kind: "lines",
    metric: "perSecond",
    x: { title: "bytes", log: true },
    log: true,
  })),
  reasons: [
    { of: "payload-string", ...textReason },
    { of: ["payload-bytes", "payload-bytes-in"], ...bytesReason },
    {
      of: "payload-object",
      basis: "code",
      why: "object graphs are encoded and decoded by our own JavaScript (pool/src/codec/encoder.ts, decoder.ts), messages by the serializer that is built into V8; what is encoded is then copied into the shared arena",
      change: "the built-in serializer where it wins",
    },
    {
      of: "payload-transfer",
      basis: "code",
      why: "only a message can move a buffer, while job and result are in shared memory, so each costs both. A quick thread is sent jobs ahead, half a millisecond of them, several in one message (pool/src/host/carried-relay.ts, thread-lead.ts); from the others a thread asks for the values of each job. Each buffer of 256 KB or more goes in a message of its own, and each comes back in one, through ports where V8 does not count it (pool/src/transfer/memory-lane.ts)",
      change: "the results of several jobs in one message, while they are small",
    },
  ],
};

function moves({ job }: PayloadKind): boolean {
  return job === "echoMoved";
}

/** Older builds have no transfer list. */
function isPossible(kind: PayloadKind): boolean {
  return !moves(kind) || "move" in pool;
}

function scenariosOf(kind: PayloadKind, scale: Scale): Scenario[] {
  const sizes = scale.pick(
    kind.sizes,
    kind.sizes.filter((bytes) => bytes === 2 ** 10 || bytes === 2 ** 16 || bytes === 2 ** 20),
  );
  return sizes.map((bytes) => ({
    name: `payload-${kind.name}-${bytes}`,
    title: `${sizeText(bytes)}: ${kind.title}`,
    group: `payload-${kind.name}`,
    at: bytes,
    // Objects of that size take seconds.
    regression: bytes <= LARGE || kind !== objectKind,
    metrics,
    contenders: field(kind, bytes, scale).map((product) =>
      poolContender(product, {
        threads: 1,
        job: kind.job,
        round: (opened) => measure(opened, kind, bytes, scale),
      }),
    ),
  }));
}

function field(kind: PayloadKind, bytes: number, { mode }: Scale): readonly Product[] {
  const tuned = [skein, piscina({ concurrentTasksPerWorker: 64 }), rawPort];
  if (mode === "quick") return tuned;
  // Seconds a call, and nobody's difference but the serializer's.
  if (kind === objectKind && bytes > LARGE) return tuned;
  if (bytes > LARGE) return [...tuned, piscina(), comlink];
  return [
    ...tuned,
    piscina(),
    tinypool({ concurrentTasksPerWorker: 64 }),
    workerPool(),
    poolifier({ strategy: "ROUND_ROBIN", enableEvents: false }),
    comlink,
  ];
}

async function measure(
  opened: JobPool,
  kind: PayloadKind,
  bytes: number,
  scale: Scale,
): Promise<Record<string, number>> {
  const { sentMb, heldMb } = budget(kind, scale);
  const atMost = (count: number, megabytes: number): number =>
    Math.max(1, Math.min(count, Math.floor((megabytes * 2 ** 20) / bytes)));
  const width = atMost(CALLS_UNDER_WAY, heldMb);
  const calls = Math.max(width, atMost(scale.pick(2000, 400), sentMb));

  // A transferred buffer can be in one call only; everything else can be in all.
  const first = kind.make(bytes);
  let values = Array.from({ length: width }, (_, i) => (i > 0 && moves(kind) ? kind.make(bytes) : first));
  const perSecond = await longEnough(async () => {
    let left = calls;
    const caller = async (start: unknown): Promise<unknown> => {
      let value = start;
      while (left-- > 0) value = await call(opened, kind, value, bytes);
      return value;
    };
    const started = performance.now();
    values = await Promise.all(values.map(caller));
    return (calls / (performance.now() - started)) * 1000;
  });
  // A single call is a round trip.
  if (calls === 1) return { perSecond, tripUs: 1e6 / perSecond };

  const us: number[] = [];
  const until = performance.now() + ROUND_MS / 3;
  let [value] = values;
  do {
    const at = performance.now();
    value = await call(opened, kind, value, bytes);
    us.push((performance.now() - at) * 1000);
  } while (performance.now() < until);
  return { perSecond, tripUs: quantile(Float64Array.from(us), 0.5) };
}

/** How much goes one way before it is timed, and is under way at once. What is copied takes time for each byte, what moves takes memory only. */
function budget(kind: PayloadKind, scale: Scale): { sentMb: number; heldMb: number } {
  if (kind === sharedKind) return { sentMb: Infinity, heldMb: Infinity };
  if (moves(kind)) return { sentMb: 8192, heldMb: 256 };
  const sentMb = kind === objectKind ? scale.pick(8, 2) : scale.pick(64, 8);
  return { sentMb, heldMb: sentMb / 2 };
}

/** What the next call is made with. */
async function call(opened: JobPool, kind: PayloadKind, value: unknown, bytes: number): Promise<unknown> {
  const result = await opened.run(value, moves(kind) ? [value as ArrayBuffer] : undefined);
  kind.check(result, value, bytes);
  return moves(kind) ? result : value;
}

function capitalized(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

function sizeText(bytes: number): string {
  if (bytes >= 2 ** 20) return `${bytes / 2 ** 20} MB`;
  return bytes >= 2 ** 10 ? `${bytes / 2 ** 10} KB` : `${bytes} B`;
}

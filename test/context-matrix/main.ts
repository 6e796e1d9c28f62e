/** Runs every hop for several owners, in turn and at once, and prints one line of JSON for each cell: hop, kind, what is wrong. */
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ThreadPool } from "@skein/pool";
import { KINDS, type Kind, type Seen, within } from "./ambient.ts";
import { type Hop, hops, type Right } from "./hops.ts";
import type * as Jobs from "./matrix.jobs.ts";

const GC_ROUNDS = 80;
const limitMs = Number(process.env["SKEIN_HOP_LIMIT_MS"] ?? 20_000);
// Made in nobody's context, and never closed before the end: idle pools are tried.
const pool = new ThreadPool({ maxThreads: 2, initialize: new URL("./initialize.ts", import.meta.url) });
const jobs = pool.module<typeof Jobs>(new URL("./matrix.jobs.ts", import.meta.url));

const problems: Map<string, Record<Kind, string>> = new Map();
const kept: { hop: string; refs: Record<Kind, WeakRef<object>> }[] = [];

function judge(right: Right, seen: string, owner: string): string {
  if (seen === owner) return right === "nothing" ? `sees its own value` : "";
  if (seen === "nothing") return right === "mine" ? "sees nothing" : "";
  return `LEAK: sees the value of ${seen}`;
}

function note(hop: Hop, owner: string, seen: readonly Seen[]): void {
  const row = problems.get(hop.name)!;
  for (const one of seen) {
    for (const kind of KINDS) row[kind] ||= judge(hop.rights[kind], one[kind], owner);
  }
}

function begin(hop: Hop, owner: string): Promise<readonly Seen[]> {
  const { result, kept: refs } = within(owner, () => hop.run({ pool, jobs, owner }));
  kept.push({ hop: hop.name, refs });
  return Promise.race([
    result,
    sleep(limitMs, undefined, { ref: false }).then(() => {
      throw new Error("never over");
    }),
  ]);
}

async function runHop(hop: Hop): Promise<void> {
  const row = Object.fromEntries(KINDS.map((kind) => [kind, ""])) as Record<Kind, string>;
  problems.set(hop.name, row);
  try {
    note(hop, "A", await begin(hop, "A"));
    note(hop, "B", await begin(hop, "B"));
    // At once, on two threads: channels, timers and such are the process's, so some hops take turns by themselves.
    const owners = ["C", "D"];
    const both = await Promise.all(
      ONE_AT_A_TIME.test(hop.name) ? [] : owners.map((owner) => begin(hop, owner)),
    );
    for (const [i, seen] of both.entries()) note(hop, owners[i]!, seen);
  } catch (error) {
    for (const kind of KINDS) row[kind] ||= `fails: ${(error as Error).message}`;
  }
}
/** Whose probes are global. */
const ONE_AT_A_TIME = /subscriber|unhandled|timer|job.signal|next job|dies|TracingChannel/;

for (const hop of hops) await runHop(hop);
await reuseParsers();
for (
  let round = 0;
  round < GC_ROUNDS && kept.some(({ refs }) => KINDS.some((kind) => refs[kind].deref() !== undefined));
  round++
) {
  await sleep(25);
  globalThis.gc!();
}
for (const { hop, refs } of kept) {
  const row = problems.get(hop)!;
  for (const kind of KINDS) if (refs[kind].deref() !== undefined) row[kind] ||= "PIN: the value is kept";
}
for (const [hop, row] of problems) {
  for (const kind of KINDS) console.log(JSON.stringify({ hop, kind, problem: row[kind] }));
}
await pool.close({ timeoutMs: 20_000 });
process.exit(0);

/** Node keeps the context of a request with its free HTTP parsers, without Skein too, until others use them. */
async function reuseParsers(): Promise<void> {
  const server = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const asking = Array.from({ length: 50 }, async () => {
    const [response] = (await once(get({ port, host: "127.0.0.1", agent: false }), "response")) as [
      IncomingMessage,
    ];
    response.resume();
    await once(response, "end");
  });
  await Promise.all(asking);
  server.close();
}

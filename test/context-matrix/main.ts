/** Runs every hop for several owners, in turn and at once, and prints one line of JSON for each cell: hop, column, what is wrong. */
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { ThreadPool } from "@skein/pool";
import { KINDS, type Kind, type Seen, within } from "./ambient.ts";
import { type Column, COLUMNS } from "./columns.ts";
import { hops } from "./hops.ts";
import type * as Jobs from "./matrix.jobs.ts";
import { type Right, rightOf } from "./rights.ts";
import { closing, type Hop } from "./stage.ts";

// Here alone: threads and processes have what `register` sets up.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const GC_ROUNDS = 80;
const limitMs = Number(process.env["SKEIN_HOP_LIMIT_MS"] ?? 20_000);
// Made in nobody's context, and never closed before the end: idle pools are tried.
const pool = new ThreadPool({ maxThreads: 2, initialize: new URL("./initialize.ts", import.meta.url) });
const jobs = pool.module<typeof Jobs>(new URL("./matrix.jobs.ts", import.meta.url));

const problems: Map<string, Record<Column, string>> = new Map();
const kept: { hop: string; refs: Record<Kind, WeakRef<object>> }[] = [];

function judge(right: Right, seen: string, owner: string): string {
  if (seen === owner) return right === "nothing" ? `sees its own value` : "";
  if (seen === "nothing") return right === "mine" ? "sees nothing" : "";
  return `sees the value of ${seen}`;
}

function note({ name, rights }: Hop, owner: string, seen: readonly Seen[]): void {
  const row = problems.get(name)!;
  for (const one of seen) {
    for (const kind of KINDS) {
      const value = one[kind];
      if (value !== owner && value !== "nothing") row.leak ||= `${kind}: the value of ${value}`;
      row[kind] ||= rights === null ? "" : judge(rightOf(rights[kind]), value, owner);
    }
  }
}

function begin(hop: Hop, owner: string): Promise<readonly Seen[] | null> {
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
  const row = Object.fromEntries(COLUMNS.map((column) => [column, ""])) as Record<Column, string>;
  problems.set(hop.name, row);
  const everywhere = (problem: string): void => {
    for (const column of COLUMNS) row[column] ||= problem;
  };
  try {
    // In turn, then at once on two threads; channels, timers and such are the process's, so some hops take turns all the time.
    for (const owners of ONE_AT_A_TIME.test(hop.name) ? [["A"], ["B"]] : [["A"], ["B"], ["C", "D"]]) {
      const all = await Promise.all(owners.map((owner) => begin(hop, owner)));
      for (const [i, seen] of all.entries()) {
        if (seen === null) return everywhere("skipped");
        if (seen.length === 0 && hop.rights !== null) return everywhere("nothing was looked at");
        note(hop, owners[i]!, seen);
      }
    }
  } catch (error) {
    everywhere(`fails: ${(error as Error).message}`);
  }
}
/** Whose probes are global, or which have pools of their own: these have nothing in common that two owners could meet in. */
const ONE_AT_A_TIME =
  /subscriber|unhandled|timer|job.signal|next job|dies|TracingChannel|message to a thread|^an idle pool|^a pool made/;

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
  for (const kind of KINDS) if (refs[kind].deref() !== undefined) row.pin ||= `${kind} is kept`;
}
for (const [hop, row] of problems) {
  for (const column of COLUMNS) console.log(JSON.stringify({ hop, column, problem: row[column] }));
}
for (const close of closing) await close();
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

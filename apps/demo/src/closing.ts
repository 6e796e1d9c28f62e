/** The end of a run: what could be seen in it, and how to see more. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { drawSamples } from "./loop-watch.ts";
import type { LoopRecord } from "./loop-watch.ts";
import type { CensusOptions } from "./options.ts";
import type { StoredRows } from "./row-store.ts";
import { layOut } from "./table.ts";
import type { Column } from "./table.ts";
import { wrap } from "./terminal.ts";
import type { Style } from "./terminal.ts";
import { formatPlural, printable } from "./wording.ts";

/** As worker-log.ts writes it; the id is that of the context. */
interface LogLine {
  readonly threadId: number;
  readonly msg: string;
  readonly file: string;
  readonly "census.file"?: string;
}

export interface WhatWasSeen {
  /** By policy; none without a pool. */
  readonly loops: readonly LoopRecord[];
  readonly logLines: readonly LogLine[];
  /** Functions that were searched for repeated code. */
  readonly compared: number;
  /** Pieces of that search which another thread took. */
  readonly stolen: number;
  readonly stored: StoredRows;
  readonly killed: "thread" | "worker process" | null;
  readonly options: CensusOptions;
}

const STRIP_WIDTH = 20;

export function closing(seen: WhatWasSeen, style: Style, width: number): string {
  const inner = width - 1;
  const sections = [
    loops(seen, style, inner),
    logLines(seen, style, inner),
    facts(seen, style, inner),
    more(style, inner),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `\n${lines.map((line) => ` ${line}`.trimEnd()).join("\n")}\n`)
    .join("");
}

/** The first lines that the workers wrote. */
export function firstLines(logFile: string, count: number): LogLine[] {
  let text: string;
  try {
    text = readFileSync(logFile, "utf8");
  } catch {
    // Nobody had anything to say.
    return [];
  }
  const lines = text.split("\n", count).filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as LogLine);
}

function loops({ loops: records }: WhatWasSeen, style: Style, width: number): string[] {
  if (records.length === 0) return [];
  const rows = records.map(({ policy, delayP99Ms, samples }) => [
    policy,
    `p99 ${delayP99Ms.toFixed(1)} ms`,
    drawSamples(samples, STRIP_WIDTH),
  ]);
  const columns: Column[] = [
    {},
    { align: "right" },
    { paint: (text) => style("yellow", text), expendable: 1 },
  ];
  return [
    style("bold", "How late the event loop was, by the policy of the call"),
    ...layOut(columns, rows, width),
  ];
}

function logLines({ logLines: lines }: WhatWasSeen, style: Style, width: number): string[] {
  if (lines.length === 0) return [];
  const rows = lines.map((line) => [
    `thread ${line.threadId}`,
    line["census.file"] ?? "",
    printable(`${line.msg} ${basename(line.file)}`),
  ]);
  const columns: Column[] = [
    {},
    { fit: "start", min: 8, paint: (text) => style("cyan", text) },
    { fit: "end", min: 10 },
  ];
  return [
    style("bold", "Some lines of the log, written where the file was read, with the id that came along"),
    ...layOut(columns, rows, width),
  ];
}

function facts(seen: WhatWasSeen, style: Style, width: number): string[] {
  const { compared, stolen, stored, killed, options } = seen;
  const rows = [
    [
      "fork/join",
      `repeated code was searched among ${formatPlural(compared, "function")}${options.threads === 0 ? "" : `; ${formatPlural(stolen, "piece")} of the search taken by a thread without work`}`,
    ],
    [
      "batching",
      `${formatPlural(stored.rows, "row")} in ${formatPlural(stored.batches, "batch", "batches")} into SQLite, a transaction each${options.db === null ? "; the file was temporary, --db keeps it" : ""}`,
    ],
    ["cancellation", "Ctrl-C stops what is queued and what runs, and prints what is there"],
    ...(killed === null
      ? []
      : [
          [
            "chaos",
            `a ${killed} was killed half-way and its files were read again: the result is as without --chaos`,
          ],
        ]),
  ];
  const columns: Column[] = [
    { paint: (text) => style("bold", text) },
    { fit: "wrap", paint: (text) => style("dim", text) },
  ];
  return layOut(columns, rows, width);
}

function more(style: Style, width: number): string[] {
  const rows = [
    ["tour", "short scenes that show what the packages do"],
    ["--chaos", "a thread is killed half-way, with the same result"],
    ["--compare", "no pool, and the pool under each policy, on the same files"],
    ["--html census.html", "the result as a page"],
    ["--help", "everything else"],
  ];
  const columns: Column[] = [
    { paint: (text) => style("green", text) },
    { fit: "wrap", paint: (text) => style("dim", text) },
  ];
  return [
    ...wrap("More: npx --yes pnpm@10 demo, or census, with", width).map((line) => style("bold", line)),
    ...layOut(columns, rows, width),
  ];
}

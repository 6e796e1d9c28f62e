import { createHash } from "node:crypto";
import type { Census } from "./census.ts";

/** What differs from run to run, kept apart from the result. */
export interface RunInfo {
  readonly correlationId: string;
  readonly root: string;
  readonly threads: number;
  /** Null without a pool. */
  readonly policy: string | null;
  readonly startedAt: string;
  readonly walkMs: number;
  readonly analysisMs: number;
  /** CPU time of the whole process meanwhile. */
  readonly cpuMs: number;
  /** How late the event loop of the main thread was, 99th percentile. */
  readonly delayP99Ms: number;
}

/** SHA-256 of the result: equal digests mean equal results, whatever the threads, the policy and the time. */
export function digestOf(census: Census): string {
  return createHash("sha256").update(serialise(census)).digest("hex");
}

/** JSON with one record per line, so that two results can be compared with `diff`. */
export function toJson(census: Census, run: RunInfo): string {
  return serialise({ run: { ...run, digest: digestOf(census) }, ...census });
}

function serialise(document: object): string {
  const members = Object.entries(document).map(([key, value]) => {
    const records = Array.isArray(value) && value.length > 0;
    const text = records
      ? `[\n  ${value.map((record) => JSON.stringify(record)).join(",\n  ")}\n ]`
      : JSON.stringify(value);
    return ` ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}

/**
 * What lies in the store: a job's request as BullMQ's `data`, and its outcome as BullMQ's return value. Anybody who reaches the store may
 * have written them, so both are checked, and their size comes first.
 */
import type { FunctionSource } from "@skein/pool/engine";
import { InvalidPayloadError, PayloadTooLargeError } from "./errors.ts";

const VERSION = 1;
/** A context is smaller than this where it is made (ContextTooLargeError). */
const MAX_CONTEXT_CHARS = 32_768;
const NAME = /^[A-Za-z0-9_-]{1,100}$/;

export interface WireRequest {
  readonly v: typeof VERSION;
  /** The export of the module, which the queue stands for. */
  readonly fn: string;
  /** Whether it is called for each item of the first argument. */
  readonly each: boolean;
  /** The argument list: codec/text.ts. */
  readonly args: string;
  readonly context: string | null;
  /** Whether somebody listens to what it reports: that it has begun, and its progress. */
  readonly reports: boolean;
  /** 1, and one more for each thread that has died at it. */
  readonly attempt: number;
  /** How often it runs again after its worker was lost. */
  readonly retries: number;
}

/**
 * `result`: the value. `error`: the wire form of what was thrown. `withdrawn`: it was cancelled before it began. `crashed`: its thread
 * ended. `lost`: its worker was, and it has no retries left.
 */
export type WireOutcome =
  | { readonly kind: "result" | "error"; readonly text: string }
  | { readonly kind: "withdrawn" }
  | { readonly kind: "crashed"; readonly exitCode: number | null }
  | { readonly kind: "lost"; readonly starts: number };

export function isName(name: string): boolean {
  return NAME.test(name);
}

/** Jobs of one module. */
export function queueName(cluster: string, module: string): string {
  return `skein.${cluster}.${module}`;
}

/** On it the workers hear who is to stop. */
export function controlName(cluster: string): string {
  return `skein.${cluster}.control.events`;
}

export function checkSize(what: string, text: string, maxPayloadBytes: number): void {
  // A text has at least as many bytes as characters, and at most three times as many.
  if (text.length * 3 <= maxPayloadBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPayloadBytes) throw new PayloadTooLargeError(what, bytes, maxPayloadBytes);
}

export function requestOf(
  source: FunctionSource & { readonly kind: "export" },
  rest: Omit<WireRequest, "v" | "fn" | "each">,
): WireRequest {
  return { v: VERSION, fn: source.name, each: source.each === true, ...rest };
}

/** @throws InvalidPayloadError, PayloadTooLargeError */
export function readRequest(data: unknown, maxPayloadBytes: number): WireRequest {
  const { v, fn, each, args, context, reports, attempt, retries } = record<WireRequest>(data);
  if (v !== VERSION)
    throw new InvalidPayloadError(`it has version ${JSON.stringify(v)}, and this worker reads ${VERSION}`);
  const isSound =
    typeof fn === "string" &&
    typeof each === "boolean" &&
    typeof args === "string" &&
    (context === null || (typeof context === "string" && context.length <= MAX_CONTEXT_CHARS)) &&
    typeof reports === "boolean" &&
    Number.isInteger(attempt) &&
    Number.isInteger(retries);
  if (!isSound) throw new InvalidPayloadError("a field of the request is missing, or is of another type");
  checkSize("argument list", args, maxPayloadBytes);
  return { v, fn, each, args, context, reports, attempt: attempt!, retries: retries! };
}

/** @throws InvalidPayloadError */
export function readOutcome(data: unknown): WireOutcome {
  const outcome = record<{ kind: unknown; text: unknown; exitCode: unknown; starts: unknown }>(data);
  const { kind, text, exitCode, starts } = outcome;
  if ((kind === "result" || kind === "error") && typeof text === "string") return { kind, text };
  if (kind === "withdrawn") return { kind };
  if (kind === "crashed" && (exitCode === null || typeof exitCode === "number")) return { kind, exitCode };
  if (kind === "lost" && typeof starts === "number") return { kind, starts };
  throw new InvalidPayloadError("it is no outcome of a job");
}

function record<T extends object>(data: unknown): Partial<T> {
  if (typeof data !== "object" || data === null) throw new InvalidPayloadError("it is no record");
  return data;
}

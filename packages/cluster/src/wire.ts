/**
 * What lies in the store: a job's request as BullMQ's `data`, and its outcome as BullMQ's return value. Anybody who reaches the store may
 * have written them, so both are checked, and their size comes first.
 */
import { Buffer } from "node:buffer";
import type { FunctionSource } from "@skein/pool/engine";
import { createHash } from "node:crypto";
import { InvalidPayloadError, PayloadTooLargeError, VersionSkewError } from "./errors.ts";
import { packageVersion, versionText, wireVersion } from "./version.ts";

/** A context is smaller than this where it is made (ContextTooLargeError). */
const MAX_CONTEXT_CHARS = 32_768;
/** Of one job. */
export const MAX_CHILDREN = 10_000;
const NAME = /^[A-Za-z0-9_-]{1,100}$/;

/** Only exports go to other machines. */
export type ExportSource = FunctionSource & { readonly kind: "export" };

export interface WireRequest {
  readonly v: typeof wireVersion;
  /** The version of the caller's package, for errors. */
  readonly from: string;
  /** The export of the module, which the queue stands for. */
  readonly fn: string;
  /** Whether it is called for each item of the first argument. */
  readonly each: boolean;
  /** The argument list: codec/text.ts. */
  readonly args: string;
  /** Of a job with a key: what tells whether two calls have the same arguments. */
  readonly digest: string | null;
  readonly context: string | null;
  /** Whether somebody listens to what it reports: that it has begun, and its progress. */
  readonly reports: boolean;
  /** How often it runs again after its worker was lost. */
  readonly lostRetries: number;
  /** How often it runs again after its thread has died. */
  readonly threadRetries: number;
  /**
   * The milliseconds that its caller still waited when the job was sent, and how long it may run: once it has begun it is asked to stop after the
   * shorter one, should its caller not be there to say so. Clocks of two machines are never compared.
   */
  readonly leftMs: number | null;
  readonly runTimeoutMs: number | null;
  /** The ids of the jobs whose results are its last argument, in their order; null: there is no such argument. */
  readonly children: readonly string[] | null;
}

/**
 * `result`: the value. `error`: the wire form of what was thrown. `withdrawn`: it was cancelled before it began. `crashed`: its thread
 * ended; `text` is the error that says how, left out by older workers, and if it is too large. `lost`: its worker was, and it has no retries left.
 */
export type WireOutcome =
  | { readonly kind: "result" | "error"; readonly text: string }
  | { readonly kind: "withdrawn" }
  | { readonly kind: "crashed"; readonly exitCode: number | null; readonly text?: string }
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

/** The id of the job that this function has under this key. */
export function keyedId(fn: string, key: string): string {
  return `key-${digestOf(JSON.stringify([fn, key]))}`;
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

export function checkSize(what: string, text: string, maxPayloadBytes: number): void {
  // A text has at least as many bytes as characters, and at most three times as many.
  if (text.length * 3 <= maxPayloadBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPayloadBytes) throw new PayloadTooLargeError(what, bytes, maxPayloadBytes);
}

export function requestOf(
  source: ExportSource,
  rest: Omit<WireRequest, "v" | "from" | "fn" | "each">,
): WireRequest {
  return {
    v: wireVersion,
    from: packageVersion,
    fn: source.name,
    // Not what somebody has put on prototypes.
    each: Object.hasOwn(source, "each") && source.each === true,
    ...rest,
  };
}

/** @throws VersionSkewError for a request of another version, InvalidPayloadError, PayloadTooLargeError */
export function readRequest(data: unknown, maxPayloadBytes: number): WireRequest {
  const request = record<WireRequest>(data);
  const { v, from, fn, each, args, digest, context, reports, children } = request;
  const { lostRetries, threadRetries, leftMs, runTimeoutMs } = request;
  if (v !== wireVersion) {
    if (!Number.isInteger(v)) throw new InvalidPayloadError("it has no version");
    throw skewFrom(from, v);
  }
  const isSound =
    typeof from === "string" &&
    typeof fn === "string" &&
    typeof each === "boolean" &&
    typeof args === "string" &&
    (digest === null || typeof digest === "string") &&
    (context === null || (typeof context === "string" && context.length <= MAX_CONTEXT_CHARS)) &&
    typeof reports === "boolean" &&
    isCount(lostRetries) &&
    isCount(threadRetries) &&
    (leftMs === null || isCount(leftMs)) &&
    (runTimeoutMs === null || isCount(runTimeoutMs)) &&
    (children === null || isIdList(children));
  if (!isSound) throw new InvalidPayloadError("a field of the request is missing, or is of another type");
  checkSize("argument list", args, maxPayloadBytes);
  return request as WireRequest;
}

/** A job of another version, or of a function that only other workers have. */
export function skewFrom(from: unknown, v: unknown, options?: ErrorOptions): VersionSkewError {
  return new VersionSkewError(versionText(from, v), versionText(packageVersion, wireVersion), options);
}

/** @throws InvalidPayloadError, PayloadTooLargeError */
export function readOutcome(data: unknown, maxPayloadBytes: number): WireOutcome {
  const outcome = record<{ kind: unknown; text: unknown; exitCode: unknown; starts: unknown }>(data);
  const { kind, text, exitCode, starts } = outcome;
  if (typeof text === "string") checkSize(kind === "result" ? kind : "error", text, maxPayloadBytes);
  if ((kind === "result" || kind === "error") && typeof text === "string") return { kind, text };
  if (kind === "withdrawn") return { kind };
  if (kind === "crashed" && (exitCode === null || typeof exitCode === "number"))
    return typeof text === "string" ? { kind, exitCode, text } : { kind, exitCode };
  if (kind === "lost" && typeof starts === "number") return { kind, starts };
  throw new InvalidPayloadError("it is no outcome of a job");
}

function record<T extends object>(data: unknown): Partial<T> {
  if (typeof data !== "object" || data === null) throw new InvalidPayloadError("it is no record");
  return data;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isIdList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MAX_CHILDREN && value.every((id) => typeof id === "string");
}

/** What a worker's pool runs: one job of the cluster, from text to text, on the thread where its module and its error classes are. */
import { AsyncResource } from "node:async_hooks";
import { decodeValue, encodeValue, runJob, toWire } from "@skein/pool/engine";
import { job } from "@skein/pool/worker";
import { decodeText, encodeText } from "./codec/text.ts";
import { checkSize, type WireOutcome, type WireRequest } from "./wire.ts";

/**
 * @param url The module, as the worker's own list has it.
 * @param words Of the call's CallState.
 */
export async function runWireJob(
  url: string,
  request: WireRequest,
  words: Int32Array,
  maxPayloadBytes: number,
): Promise<WireOutcome> {
  try {
    // Inside, `job` is the cluster's job; what it reports goes out as progress of the pool's.
    const report = AsyncResource.bind((text: string) => job.progress(text));
    const { reply } = await runJob({
      fn: { kind: "export", url, name: request.fn, ...(request.each && { each: true }) },
      args: encodeValue(argumentsOf(request), "args").value,
      context: request.context,
      state: words,
      attempt: request.attempt,
      isRemote: true,
      reports: request.reports ? { postMessage: (value) => report(encodeText(value, "report")) } : null,
    });
    if (reply.kind === "withdrawn") return { kind: "withdrawn" };
    const text = encodeText(decodeValue(reply.value), reply.kind);
    checkSize(reply.kind, text, maxPayloadBytes);
    return { kind: reply.kind, text };
  } catch (error) {
    return { kind: "error", text: encodeText(toWire(error), "error") };
  }
}

function argumentsOf({ args }: WireRequest): unknown[] {
  const list = decodeText(args);
  return Array.isArray(list) ? (list as unknown[]) : [list];
}

/** A message as a server-sent event: see wire.ts. Encoded once, however many viewers there are. */
import type { BatchLine, FeedMessage } from "../wire.ts";

/** After which a browser connects again. */
const RETRY_MS = 1000;

export function eventBytes(message: FeedMessage): Buffer {
  const retry = message.type === "hello" ? `retry: ${RETRY_MS}\n` : "";
  const data = dataLines(message).map((line) => `data: ${line}\n`);
  return Buffer.from(`${retry}event: ${message.type}\n${data.join("")}\n`, "utf8");
}

function dataLines(message: FeedMessage): readonly string[] {
  if (message.type !== "batch") return [JSON.stringify(message)];
  const threads = message.threads.map((thread) => ({ ...thread, slices: thread.slices.length }));
  const line: BatchLine = { ...message, threads };
  const bytes = message.threads.map(({ slices: { buffer, byteOffset, byteLength } }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return [JSON.stringify(line), Buffer.concat(bytes).toString("base64")];
}

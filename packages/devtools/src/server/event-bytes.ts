/** Messages as server-sent events: see wire.ts. Encoded once, however many viewers there are. */
import type { BatchLine, FeedMessage } from "../wire.ts";

/** After which a browser connects again. */
const RETRY_MS = 1000;

export function eventBytes(...messages: readonly FeedMessage[]): Buffer {
  return Buffer.from(messages.map(eventText).join(""), "utf8");
}

function eventText(message: FeedMessage): string {
  const retry = message.type === "hello" ? `retry: ${RETRY_MS}\n` : "";
  const data = dataLines(message).map((line) => `data: ${line}\n`);
  return `${retry}event: ${message.type}\n${data.join("")}\n`;
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

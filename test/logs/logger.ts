/** The recipe of the README: one module, loaded by the main thread and by job modules. */
import { contextFields } from "@skein/context/log";
import { once } from "node:events";
import { type DestinationStream, pino } from "pino";

const file = process.env["LOG_FILE"]!;

async function transport(): Promise<DestinationStream> {
  const stream = pino.transport({ target: "pino/file", options: { destination: file } });
  // Until its worker runs, pino loses lines when the thread ends.
  await once(stream, "ready");
  return stream;
}

export const log = pino(
  { mixin: contextFields },
  process.env["LOG_BY"] === "transport" ? await transport() : pino.destination({ dest: file, sync: true }),
);

/** The recipe of the README: one module, loaded by the main thread and by job modules. */
import { contextFields } from "@skein/context/log";
import { pino } from "pino";

const file = process.env["LOG_FILE"]!;

export const log =
  process.env["LOG_BY"] === "transport"
    ? pino({ mixin: contextFields }, pino.transport({ target: "pino/file", options: { destination: file } }))
    : pino({ mixin: contextFields }, pino.destination({ dest: file, sync: true }));

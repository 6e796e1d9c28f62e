/** The file of a trace: tried when the pool is made, written whole or not at all. */
import { Buffer } from "node:buffer";
import { SkeinError } from "@skein/context/errors";
import { process } from "../shared/intrinsics.ts";

// An import would load `fs.promises` and the streams of `fs` with it: 2 ms at the start of every program that imports us.
const { closeSync, openSync, renameSync, rmSync, statSync, writeSync } = process.getBuiltinModule("node:fs");

const CHUNK_CHARS = 1 << 20;

/**
 * Whether the trace could be written now. Tries it, because permission bits do not tell everything.
 * @throws SkeinError ERR_SKEIN_TRACE_FILE with the reason as its `cause`.
 */
export function assertWritable(file: string): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new Error(`${file} is a directory`);
    const temporary = temporaryName(file);
    closeSync(openSync(temporary, "wx"));
    rmSync(temporary);
  } catch (error) {
    throw notWritable(file, error);
  }
}

/**
 * Replaces the file in one step: a reader sees the former one or all of the new one.
 * @throws SkeinError ERR_SKEIN_TRACE_FILE; then nothing is left behind.
 */
export function writeTraceFile(file: string, parts: Iterable<string>): void {
  const temporary = temporaryName(file);
  try {
    const target = openSync(temporary, "wx");
    try {
      let chunk = "";
      for (const part of parts) {
        chunk += part;
        if (chunk.length < CHUNK_CHARS) continue;
        writeAll(target, chunk);
        chunk = "";
      }
      writeAll(target, chunk);
    } finally {
      closeSync(target);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw notWritable(file, error);
  }
}

/** `writeSync` may write a part only. */
function writeAll(target: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length;) at += writeSync(target, bytes, at);
}

/** In the same folder, so that a rename moves no bytes. */
function temporaryName(file: string): string {
  const { randomUUID } = process.getBuiltinModule("node:crypto");
  return `${file}.${process.pid}-${randomUUID().slice(0, 8)}.tmp`;
}

function notWritable(file: string, cause: unknown): SkeinError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SkeinError("ERR_SKEIN_TRACE_FILE", `The trace cannot be written to ${file}: ${reason}`, {
    cause,
  });
}

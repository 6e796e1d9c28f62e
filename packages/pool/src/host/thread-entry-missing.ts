/** A program that was bundled without the first module of its threads. */
import { SkeinError } from "@skein/context/errors";
import { threadEntry } from "../thread-entry.ts";
import { process } from "../shared/intrinsics.ts";

/** What to do when a thread finds no first module: the program was bundled, and nobody emitted it. */
export function noThreadEntry(cause?: unknown): SkeinError {
  const place = threadEntry === null ? "in this bundle" : `at ${threadEntry.href}`;
  return new SkeinError(
    "ERR_SKEIN_THREAD_ENTRY",
    `The first module of pool threads is not ${place}. A bundle that contains @skein/pool needs it as a file of its own: ` +
      "add @skein/unplugin to the bundler, or leave @skein/pool external. See https://www.npmjs.com/package/@skein/unplugin",
    cause === undefined ? undefined : { cause },
  );
}

/** The error that ended a thread: explained, if it is that there is no entry. Asks the file system only then. */
export function explained(error: unknown): unknown {
  if (threadEntry?.protocol !== "file:") return error;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever was thrown is only asked for a code
  const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
  if (code !== "MODULE_NOT_FOUND" && code !== "ERR_MODULE_NOT_FOUND") return error;
  return process.getBuiltinModule("node:fs").existsSync(threadEntry) ? error : noThreadEntry(error);
}

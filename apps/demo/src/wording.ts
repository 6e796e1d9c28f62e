/** How sizes, counts, times and failures are put into words, everywhere the same. */

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${trim(bytes / 1000)} kB`;
  if (bytes < 1_000_000_000) return `${trim(bytes / 1_000_000)} MB`;
  return `${trim(bytes / 1_000_000_000)} GB`;
}

export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `formatPlural(1, "file")` is "1 file". */
export function formatPlural(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** "2 threads, yield". */
export function formatEngine(threads: number, policy: string | null): string {
  if (threads === 0) return "no pool";
  return `${formatPlural(threads, "thread")}, ${policy === "each" ? "each policy in turn" : policy}`;
}

export function formatSeconds(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EISDIR: "it is a directory",
  ELOOP: "symbolic links in a loop",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
  EIO: "input/output error",
};

/** One short line for a failure, never a stack trace. */
export function describeFileError(error: unknown): string {
  const code = errorCode(error);
  if (code !== undefined && !code.startsWith("ERR_")) return REASONS[code] ?? code;
  return firstLine(error instanceof Error ? error.message : String(error));
}

/** For example "ENOENT". */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n", 1);
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** Control characters in file names would move the cursor, or worse. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\uFFFD");
}

function trim(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0).replace(/\.0$/, "");
}

/** Scans in words. */
import { formatCount, formatPlural, printable } from "../../wording.ts";
import type { Scan } from "./wire.ts";

export function nameOf({ source }: Scan): string {
  return printable(source.name === "." || source.name === "" ? "all of the root" : source.name);
}

export function stateOf({ state, message }: Scan): string {
  return message === undefined ? state : `${state}: ${printable(message)}`;
}

export function isUnderWay({ state }: Scan): boolean {
  return state === "queued" || state === "scanning";
}

/** "12 of 340 files, 1,203 functions, 2 syntax errors". */
export function figuresOf(scan: Scan): string {
  const { files, functions, errors } = scan;
  const counted =
    files.done === files.total
      ? formatPlural(files.total, "file")
      : `${formatCount(files.done)} of ${formatPlural(files.total, "file")}`;
  return `${counted}, ${formatPlural(functions, "function")}, ${formatPlural(errors, "syntax error")}`;
}

/** "29 Nov, 14:03", where the reader is. */
export function timeOf(iso: string): string {
  return new Date(iso).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** Which versions this is of: the package's, and that of what lies in the store. */
import { readFileSync } from "node:fs";
import { URL } from "node:url";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

export const packageVersion: string = manifest.version;
/** Of requests and outcomes: wire.ts. A worker that reads another one does not touch the job. */
export const wireVersion = 2;

/** For errors. */
export function versionText(packaged: unknown, wire: unknown): string {
  return `@skein/cluster ${shown(packaged)}, wire version ${shown(wire)}`;
}

function shown(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value).slice(0, 40) : "unknown";
}

/**
 * The file that calls into this package: what an inline function imports is looked up from there. V8 does not say where a function was
 * written, so that is the file that first passes it to a pool.
 */
import { pathToFileURL, URL } from "node:url";
import { process } from "../shared/intrinsics.ts";

/** Frames of ours, of Node and of a wrapper or two come first. */
const FRAMES = 24;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- bundles of CommonJS may have none
const here = import.meta.url as string | undefined;
/** The folder of this package's code; see thread-entry.ts. In the source this file lies one folder deeper. */
const ours: string | null =
  here === undefined ? null : new URL(here.endsWith(".ts") ? "../" : "./", here).href;
/** Otherwise a bundler has joined us into a file of the program. */
const isByItself = ours !== null && /\/pool\/(?:src|dist)\/$/.test(ours);
/** Ends the name of the script that an inline function is compiled as. */
export const inlineSuffix = " inline job";

/** The URL of the calling file, without its query; null when no frame has a file: code from `--eval`, a timer that calls us. */
export function callingFile(): string | null {
  const { getCallSites } = process.getBuiltinModule("node:util");
  let own: string | null = null;
  // Not through `Error`: its stack is whatever `prepareStackTrace` and `stackTraceLimit` make of it.
  for (const { scriptName } of getCallSites(FRAMES, { sourceMap: false })) {
    const url = fileUrlOf(scriptName);
    if (url === null) continue;
    if (ours === null || !url.startsWith(ours)) return url;
    own ??= url;
  }
  return isByItself ? null : own;
}

/** Null for what is no file: parts of Node, code that was made at run time. */
function fileUrlOf(script: string): string | null {
  if (script.startsWith("file:")) return script.replace(/[?#].*$/s, "");
  if (!/^(?:\/|[a-z]:[\\/]|\\\\)/i.test(script)) return null;
  // An inline function that passes on another one.
  return pathToFileURL(script.endsWith(inlineSuffix) ? script.slice(0, -inlineSuffix.length) : script).href;
}

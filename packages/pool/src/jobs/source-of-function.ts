import { callingFile } from "./calling-file.ts";
import type { FunctionSource } from "./function-source.ts";
import { inlineSource } from "./inline-function.ts";
import { sourceOfHandle } from "./job-source.ts";
import { exportSource } from "./shown-modules.ts";

/** Where a function was exported from; undefined: unknown. */
export type ExportOf = (fn: object) => { readonly url: string; readonly name: string } | undefined;

/**
 * How a thread finds the function that a caller passes: a job handle stands for its export, and so does a function whose export is known;
 * any other is shipped as its source.
 *
 * @throws TypeError for one that cannot be.
 */
export function sourceOfFunction(fn: (...args: never[]) => unknown, exportOf: ExportOf): FunctionSource {
  const exported = sourceOfHandle(fn) ?? exportOf(fn);
  return exported === undefined
    ? { kind: "inline", source: inlineSource(fn), from: callingFile() }
    : exportSource(exported.url, exported.name);
}

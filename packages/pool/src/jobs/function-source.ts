import { ownValue, stringify } from "../shared/intrinsics.ts";

/** An export of a module, as it is shown. */
export interface ShownFunction {
  readonly url: string;
  readonly name: string;
}

/**
 * How a thread finds the function. `each`: it is called for each item of a Chunk. `as`: what it is shown as, if not as itself
 * (shown-modules.ts). `from`: the `file:` URL of the file that an inline function was written in, as far as that is known (calling-file.ts).
 */
export type FunctionSource =
  | {
      readonly kind: "export";
      readonly url: string;
      readonly name: string;
      readonly each?: true;
      readonly as?: ShownFunction;
    }
  | { readonly kind: "inline"; readonly source: string; readonly from: string | null; readonly each?: true };

/** JSON in the home arena of its submitter. It names its number, for who is not sure to have read both from one job. */
export interface FunctionDescription {
  readonly id: number;
  readonly source: FunctionSource;
}

/** What people are told that it is. Nulls: it is shipped as its source. */
export function shownAs(source: FunctionSource): {
  readonly url: string | null;
  readonly name: string | null;
} {
  if (source.kind === "inline") return noExport;
  // Not what somebody has put on prototypes.
  return ownValue(source, "as") ?? source;
}

/** Whether it is called for each item of a Chunk. */
export function isOfEach(source: FunctionSource): boolean {
  return ownValue(source, "each") === true;
}

const noExport = { url: null, name: null };

/** As JSON, and the same text for the same function. Put together of strings: what somebody has put on prototypes has no part in it. */
export function textOf(source: FunctionSource): string {
  const each = isOfEach(source) ? ',"each":true' : "";
  if (source.kind === "inline")
    return `{"kind":"inline","source":${stringify(source.source)},"from":${stringify(source.from)}${each}}`;
  const shown = shownAs(source);
  const as = shown === source ? "" : `,"as":{${locationText(shown)}}`;
  return `{"kind":"export",${locationText(source)}${each}${as}}`;
}

function locationText({ url, name }: { readonly url: string | null; readonly name: string | null }): string {
  return `"url":${stringify(url)},"name":${stringify(name)}`;
}

export function descriptionText({ id, source }: FunctionDescription): string {
  return `{"id":${id},"source":${textOf(source)}}`;
}

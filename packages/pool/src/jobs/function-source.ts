import { stringify } from "../shared/intrinsics.ts";

/**
 * How a thread finds the function. `each`: it is called for each item of a Chunk. `from`: the `file:` URL of the file that an inline
 * function was written in, as far as that is known (calling-file.ts).
 */
export type FunctionSource =
  | { readonly kind: "export"; readonly url: string; readonly name: string; readonly each?: true }
  | { readonly kind: "inline"; readonly source: string; readonly from: string | null; readonly each?: true };

/** JSON in the home arena of its submitter. It names its number, for who is not sure to have read both from one job. */
export interface FunctionDescription {
  readonly id: number;
  readonly source: FunctionSource;
}

/** As JSON, and the same text for the same function. Put together of strings: what somebody has put on prototypes has no part in it. */
export function textOf(source: FunctionSource): string {
  const each = source.each === true ? ',"each":true' : "";
  return source.kind === "export"
    ? `{"kind":"export","url":${stringify(source.url)},"name":${stringify(source.name)}${each}}`
    : `{"kind":"inline","source":${stringify(source.source)},"from":${stringify(source.from)}${each}}`;
}

export function descriptionText({ id, source }: FunctionDescription): string {
  return `{"id":${id},"source":${textOf(source)}}`;
}

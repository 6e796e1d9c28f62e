/**
 * How a thread finds the function. `each`: it is called for each item of a Chunk. `from`: the `file:` URL of the file that an inline
 * function was written in, as far as that is known (calling-file.ts).
 */
export type FunctionSource =
  | { readonly kind: "export"; readonly url: string; readonly name: string; readonly each?: true }
  | { readonly kind: "inline"; readonly source: string; readonly from: string | null; readonly each?: true };

/** JSON in the arena, never freed. It names its number, for who is not sure to have read both from one job. */
export interface FunctionDescription {
  readonly id: number;
  readonly source: FunctionSource;
}

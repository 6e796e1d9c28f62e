/** What a caller without types might pass: fits wherever something is wanted. */
export function untyped(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is the purpose.
  return value as never;
}

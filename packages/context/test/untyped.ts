/** A value that the types would refuse: what callers without types may pass. */
export function untyped(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is the purpose.
  return value as never;
}

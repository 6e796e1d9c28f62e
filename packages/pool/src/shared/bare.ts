/** A copy without a prototype, for Node: what somebody has put on `Object.prototype` is not an option. */
export function bare<T extends object>(object: T): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- filled in the same expression
  return Object.assign(Object.create(null) as T, object);
}

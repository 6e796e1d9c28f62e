/** The trivial job: what remains is what the pool costs. */
export function echo(value: number): number {
  return value;
}

// piscina takes the default export; our pool any.
export { echo as default };

/** Says that it has run where everybody can see it, whatever the main thread does. */
export function tick(ran: Int32Array): void {
  Atomics.add(ran, 0, 1);
}

/** Collects garbage until the referent is gone; fails if something keeps it. */
export async function collect(...references: WeakRef<object>[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    // A turn of the loop ends the job in which a WeakRef keeps its target alive.
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
    if (references.every((reference) => reference.deref() === undefined)) return;
  }
  throw new Error(
    `${references.filter((reference) => reference.deref() !== undefined).length} object(s) are still reachable`,
  );
}

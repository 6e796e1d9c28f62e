/** A task of the program's own. */
export default (value) => value + 1;

/** Word 1 of the gate says that it has begun; ends when word 0 is set. */
export async function hold(gate) {
  Atomics.store(gate, 1, 1);
  while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  return "the program's own";
}

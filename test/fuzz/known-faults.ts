/** Faults that the fuzz finds today, and why; such a case counts as passed, and the report says how many there were. */
export const knownFaults: readonly (readonly [problem: RegExp, reason: string])[] = [
  [/a Buffer arrived as \[object Uint8Array\]/, "Buffers arrive as Uint8Arrays"],
  [
    /RangeError: Maximum call stack size exceeded/,
    "a list that holds an error and itself, in a thrown error",
  ],
  [/name is RangeError, not/, "the same: the error that arrives is another one"],
];

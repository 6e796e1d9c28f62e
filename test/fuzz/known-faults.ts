/** Faults that the fuzz finds today, and why; such a case counts as passed, and the report says how many there were. */
export const knownFaults: readonly (readonly [problem: RegExp, reason: string])[] = [];

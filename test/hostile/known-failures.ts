/** Rows of the matrix that fail today, and why. */
export const knownFailures: Readonly<Record<string, string>> = {};

/**
 * Rows of the matrix that fail today, and why. One that passes fails the test until it is taken from here.
 */
export const knownFailures: Readonly<Record<string, string>> = {};

/** Cells of the matrix, "hop × column", that are wrong today, and why. One that is right fails the test until it is taken from here. */
export const knownFailures: Readonly<Record<string, string>> = {};

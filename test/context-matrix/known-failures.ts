/** Cells of the matrix, "hop × kind", that are wrong today, and why. One that is right fails the test until it is taken from here. */
const KEPT = "Node keeps the context of the last request in its list of free HTTP parsers, without Skein too";

export const knownFailures: Readonly<Record<string, string>> = {
  "http, in and out, with a job between × local": KEPT,
  "http, in and out, with a job between × thread": KEPT,
  "http, in and out, with a job between × wire": KEPT,
  "http, in and out, with a job between × foreign": KEPT,
  "http, in and out, with a job between × flowing": KEPT,
};

/** How all tables of primitives are measured. */
export const METHOD: string =
  "Each way runs in a process of its own, so that one does not change what V8 makes of another. A round runs the loop once to warm up, " +
  "then a few times for the time, of which the median counts, then again for the bytes: what the heap grew by over a loop in which the " +
  "young generation is too large for a collection. ";

/** The same for a pool without fork and join: the caller divides, and each part is a job. */
import { merge, queensBelow, sortAlone } from "./divide.mjs";

export function sortPart({ data, scratch, from, to }) {
  sortAlone(data, scratch, from, to);
}

export function mergeParts({ data, scratch, from, middle, to }) {
  merge(data, scratch, from, middle, to);
}

export function queensPart({ all, columns, left, right }) {
  return queensBelow(all, columns, left, right);
}

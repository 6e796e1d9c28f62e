/** A task of Piscina's, for one that a job makes. */
export default (value) => value + 1;

/** A task of the program's own. */
export default (value) => value + 1;

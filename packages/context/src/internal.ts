/**
 * The entry `@skein/context/internal`: all that the other packages of Skein need, so that they load one file. Not for programs: it may
 * change with any version.
 *
 * @module
 * @internal
 */
export { deserialize } from "./deserialize.ts";
export * from "./errors.ts";
export * from "./index.ts";
export * from "./task-errors.ts";

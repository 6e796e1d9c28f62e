/**
 * The page with the cause and the cure of each error code: the file errors.md of this package. Its address is there as soon as the package
 * is, and needs no name but ours. Errors have it as a property, so that Node prints it with an uncaught error and loggers write it down,
 * while the message stays short.
 */
import { lowerCase } from "./intrinsics.ts";

const PAGE = "https://unpkg.com/@skein/context/errors.md";

/** The address of the section about a code. */
export function errorPage(code: string): string {
  return `${PAGE}#${lowerCase(code)}`;
}

/** All of `@skein/context`. */
export * from "@skein/context";

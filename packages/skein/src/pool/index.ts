/** All of `@skein/pool`. */
export * from "@skein/pool";

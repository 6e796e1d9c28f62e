/** All of `@skein/scheduling`. */
export * from "@skein/scheduling";

/** All of `@skein/context/http`. */
export * from "@skein/context/http";

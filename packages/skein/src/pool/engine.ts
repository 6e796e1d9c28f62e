/** All of `@skein/pool/engine`. */
export * from "@skein/pool/engine";

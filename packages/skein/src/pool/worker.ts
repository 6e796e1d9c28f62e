/** All of `@skein/pool/worker`. */
export * from "@skein/pool/worker";

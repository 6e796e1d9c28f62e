/** All of `@skein/pool/inline`. */
export * from "@skein/pool/inline";

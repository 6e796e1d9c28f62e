/** The entry `@skein/pool/process`. */
export * from "@skein/pool/process";

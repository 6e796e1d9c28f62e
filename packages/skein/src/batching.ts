/** All of `@skein/batching`. */
export * from "@skein/batching";

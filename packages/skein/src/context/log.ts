/** All of `@skein/context/log`. */
export * from "@skein/context/log";

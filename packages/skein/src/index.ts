/**
 * All of `@skein/context`, `@skein/scheduling`, `@skein/pool` and `@skein/batching` under one name. Inside a job module import from the
 * entry of one package, such as `skein/context`: each thread then loads that package alone.
 */
export * from "@skein/batching";
export * from "@skein/context";
export * from "@skein/pool";
export * from "@skein/scheduling";

// What several of them export under one name: a name given here wins over the stars.
export { InvalidOperationError } from "@skein/context";
/** That of jobs, which has the `path`; batching's is `skein/batching`, scheduling's `skein/scheduling`. */
export { NotCloneableError } from "@skein/pool";

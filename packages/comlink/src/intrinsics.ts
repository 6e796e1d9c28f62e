/** Built-ins as they were when this package was loaded: a program may replace the global ones. */
export const AbortController: typeof globalThis.AbortController = globalThis.AbortController;
/** That of async functions: some programs have put a library's in the place of the global one. */
export const Promise: PromiseConstructor = (async () => {})().constructor as PromiseConstructor;

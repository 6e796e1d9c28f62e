/** That of async functions: some programs have put a library's in the place of the global one. */
export const Promise: PromiseConstructor = (async () => {})().constructor as PromiseConstructor;

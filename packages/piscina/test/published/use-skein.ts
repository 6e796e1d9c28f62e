/**
 * Preloaded with Piscina's own tests, on every thread: what they import of Piscina comes from this package instead. Two files of its
 * inside, which they import too, are in `inside` here.
 */
import { registerHooks } from "node:module";
import { isMainThread } from "node:worker_threads";

const ours = new URL("../../dist/index.js", import.meta.url).href;
const required = new URL("../../require.cjs", import.meta.url).href;
const inside: Readonly<Record<string, string>> = {
  main: ours,
  index: ours,
  "esm-wrapper": ours,
  common: new URL("./inside/common.ts", import.meta.url).href,
  symbols: new URL("./inside/symbols.ts", import.meta.url).href,
};

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const name = /\/node_modules\/piscina\/dist\/([a-z-]+)\.m?js$/.exec(resolved.url)?.[1];
    if (name === undefined) return resolved;
    const found = inside[name];
    const isRequired = found === ours && context.conditions.includes("require");
    const url = isRequired ? required : found;
    if (url === undefined) throw new Error(`Piscina's own ${name}.js is not to be loaded here`);
    const format = url.endsWith(".ts") ? "module-typescript" : isRequired ? "commonjs" : "module";
    return { ...resolved, url, format };
  },
});

// That file takes for granted that 5 ms on a thread are over when the main thread has waited 10 ms. On a busy machine they need not be.
if (isMainThread && process.argv[1]?.endsWith("test-is-buffer-transferred.test.ts")) {
  const { setTimeout } = globalThis;
  Object.assign(globalThis, {
    setTimeout: (done: () => void, ms: number) => setTimeout(done, ms * 100),
  });
}

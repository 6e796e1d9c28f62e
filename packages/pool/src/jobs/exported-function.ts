/**
 * Functions that a job module exports. Of CommonJS, Node's namespace has only the names that it finds by reading the source: what
 * compilers and hand-written code assign otherwise (`exports[name]`, `module.exports = { run }`, `exports.default`) is looked up in
 * `module.exports`, which Node gives as the default export.
 */
import { functionText } from "../shared/intrinsics.ts";

export type JobFunction = (...args: unknown[]) => unknown;

type Names = Readonly<Record<string, unknown>>;

/** The function that the module exports under this name. */
export function exportedFunction(module: object, name: string): JobFunction | undefined {
  const direct = read(module, name);
  const outer = read(module, "default");
  if (name !== "default") {
    if (isFunction(direct)) return direct;
    const inner = read(outer, name);
    return isFunction(inner) ? inner : undefined;
  }
  // As compiled from `export default`: the module object with a `default`, perhaps wrapped twice by a bundler.
  let value = outer;
  while (isRecord(value) && (!isFunction(value) || read(value, "__esModule") === true)) {
    const inner = read(value, "default");
    if (inner === undefined || inner === value) break;
    value = inner;
  }
  return isFunction(value) ? value : undefined;
}

/** By name: the functions that can be jobs. A class cannot, since it cannot be called. */
export function exportedFunctions(module: object): Map<string, JobFunction> {
  const found = new Map<string, JobFunction>();
  const outer = read(module, "default");
  const names = new Set([...Object.keys(module), ...(isRecord(outer) ? Object.keys(outer) : [])]);
  names.delete("module.exports");
  for (const name of names) {
    const fn = exportedFunction(module, name);
    if (fn !== undefined && !/^class\b/.test(functionText(fn))) found.set(name, fn);
  }
  return found;
}

/** An own property; undefined also for one that cannot be read now: a getter that throws, a binding in its dead zone. */
function read(holder: unknown, name: string): unknown {
  if (!isRecord(holder) || !Object.hasOwn(holder, name)) return undefined;
  try {
    return holder[name];
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Names {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function isFunction(value: unknown): value is JobFunction {
  return typeof value === "function";
}

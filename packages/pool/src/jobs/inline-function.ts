/**
 * Functions that are shipped as source. Such a function captures nothing: what it needs comes as arguments, through
 * `import()` inside, or from globals.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- code that is loaded at run time has no static type
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { argumentTypeError, withCode } from "@skein/context/errors";
import { isProxy } from "../codec/brand-checks.ts";
import { stackOf } from "../codec/stack-text.ts";
import { define, functionText, process } from "../shared/intrinsics.ts";
import { inlineSuffix } from "./calling-file.ts";

type AnyFunction = (...args: never[]) => unknown;

/**
 * The source of `fn` as an expression that another thread can evaluate. Arrow functions, function expressions and
 * methods are taken, async or not, generators too.
 *
 * @throws TypeError for native and bound functions, classes, getters, and methods that use `super`.
 */
export function inlineSource(fn: AnyFunction): string {
  if (typeof fn !== "function") throw argumentTypeError("fn", "a function", fn);
  if (isProxy(fn)) throw refused("is a Proxy, whose source cannot be read; pass the function itself");
  const text = functionText(fn);
  if (/^class\b/.test(text))
    throw refused("is a class; call a function of a job module that makes the instance");
  if (/\{\s*\[native code\]\s*\}$/.test(text)) {
    throw refused(
      "is native or bound, so it has no source to ship; wrap a global, as in `(n) => Math.sqrt(n)`, and export anything else from a job module",
    );
  }
  const expression = `(${text})`;
  const method = methodExpression(text);
  const problem = syntaxError(expression);
  if (problem === null) return expression;
  const methodProblem = syntaxError(method);
  if (methodProblem === null && !isAccessor(text) && !usesSuper(text)) return method;
  if (/import\.meta/.test(`${problem} ${methodProblem}`))
    throw refused("uses import.meta; pass `import.meta.url` as an argument");
  throw refused(
    "has a source that is not an expression by itself; pass an arrow function or export it from a job module",
  );
}

/**
 * Evaluates what `inlineSource` gave. `import()`, `require()`, `__dirname` and `__filename` inside are those of the file that wrote it.
 * @param from The `file:` URL of that file; null: unknown, so the current working directory stands for its folder.
 */
export function compileInline(source: string, from: string | null): (...args: unknown[]) => unknown {
  const file = from === null ? null : fileURLToPath(from);
  const filename = file === null ? join(process.cwd(), inlineSuffix.trim()) : file + inlineSuffix;
  // As a CommonJS module of the user's project: `new Function` would resolve `import()` from this file, and the option
  // of vm.Script for it warns that it is experimental.
  const { Module } = process.getBuiltinModule("node:module");
  const holder = new Module(filename) as unknown as {
    exports: unknown;
    filename: string;
    paths: readonly string[];
    _compile(content: string, filename: string): void;
  };
  holder.filename = filename;
  holder.paths = (Module as unknown as { _nodeModulePaths(folder: string): string[] })._nodeModulePaths(
    dirname(filename),
  );
  // Helpers of the module that stayed behind: tsx and esbuild (keepNames) wrap nested functions in calls of `__name`, Vitest replaces
  // `import()`.
  const parameters = file === null ? "__name" : "__name, __filename";
  holder._compile(
    `module.exports = (function (${parameters}) { "use strict"; ${importHelper} return ${source} })`,
    filename,
  );
  const make = holder.exports as (
    name: typeof keepName,
    file: string | null,
  ) => (...args: unknown[]) => unknown;
  try {
    return make(keepName, file);
  } catch (error) {
    throw explainFreeVariable(error, source);
  }
}

/**
 * `error`, or a clearer one when it says that a free variable of the function does not exist in this thread. The class
 * stays ReferenceError, with `code` 'ERR_SKEIN_FREE_VARIABLE' and the name in `variable`. Never throws: the error may be anything, and a
 * formatter of stacks may have made anything of its stack.
 */
export function explainFreeVariable(error: unknown, source: string): unknown {
  try {
    return explained(error, source);
  } catch {
    return error;
  }
}

function explained(error: unknown, source: string): unknown {
  if (!(error instanceof ReferenceError)) return error;
  const variable = /^(\S+) is not defined$/.exec(error.message)?.[1];
  if (variable === undefined || !mentions(source, variable)) return error;
  const clearer = new ReferenceError(
    `${variable} is not defined: this job is an inline function, which is shipped as source and captures nothing. ` +
      `Pass ${variable} as an argument if it is data, or move the function to a job module`,
    { cause: error },
  );
  const stack = stackOf(error, `ReferenceError: ${error.message}`);
  if (stack !== undefined)
    define(
      clearer,
      "stack",
      stack.replace(error.message, () => clearer.message),
      false,
    );
  return Object.assign(withCode(clearer, "ERR_SKEIN_FREE_VARIABLE"), { variable });
}

const importHelper = "const __vite_ssr_dynamic_import__ = (specifier) => import(specifier);";

const methodStart = "((holder) => holder[Reflect.ownKeys(holder)[0]])({ ";

/** `foo() {}` is not an expression by itself; inside an object literal it is a method, which is then taken out. */
function methodExpression(text: string): string {
  return `${methodStart}${text} })`;
}

function isAccessor(text: string): boolean {
  return /^(get|set|static)\s+[\w$[#"']/.test(text);
}

/** What stands before the parameters of a method, unless its name is computed or written in an unusual way. */
const methodHead =
  /^(async(?=[\s*])(?!\s*\())?\s*(\*?)\s*(?:[\p{ID_Continue}$]+|"[^"\\]*"|'[^'\\]*')\s*(?=\()/u;

/** Whether a method needs its object's parent, which it would not find: then it is none without one, that is, as a function. */
function usesSuper(method: string): boolean {
  const head = methodHead.exec(method);
  if (head === null) return /\bsuper\b/.test(method);
  const [text, async = "", star = ""] = head;
  return syntaxError(`(${async} function${star} ${method.slice(text.length)})`) !== null;
}

/** Parses without running. What only modules may have is an error. @returns what the parser says; null: it is right. */
function syntaxError(expression: string): string | null {
  const { Script } = process.getBuiltinModule("node:vm");
  try {
    // oxlint-disable-next-line no-new -- only the syntax check of the constructor is wanted
    new Script(`"use strict"; ${expression}`);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function keepName(target: unknown, value: string): unknown {
  return Object.defineProperty(target, "name", { value, configurable: true });
}

function mentions(source: string, variable: string): boolean {
  for (let at = source.indexOf(variable); at >= 0; at = source.indexOf(variable, at + 1)) {
    const before = source[at - 1] ?? "";
    const after = source[at + variable.length] ?? "";
    if (!/[\w$.]/.test(before) && !/[\w$]/.test(after)) return true;
  }
  return false;
}

function refused(problem: string): TypeError {
  return withCode(new TypeError(`The function ${problem}`), "ERR_SKEIN_INLINE_FUNCTION");
}

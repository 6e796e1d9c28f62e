// oxlint-disable typescript/no-unsafe-type-assertion -- the parser throws and returns more than its types say
/**
 * Which grammar a file is written in, and the parser's best reading of it.
 *
 * The extension decides between JavaScript and TypeScript, a `@flow` pragma in the leading comments adds Flow. Whether a
 * `.js` file is a module, a script or CommonJS cannot be known from the file alone, so the likely reading comes first and
 * the others are tried only when it has errors. The reading with the fewest errors wins, the earlier one at a tie.
 */
import { parse } from "@babel/parser";
import type { ParserOptions, ParserPlugin } from "@babel/parser";
import type { SyntaxProblem } from "./file-report.ts";

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface Reading {
  /** Null when the parser gave up, so that there is nothing to count. */
  readonly program: SyntaxNode | null;
  readonly problems: SyntaxProblem[];
}

type Mode = "module" | "commonjs" | "script" | "unambiguous";

const SOURCE_NAME = /\.[cm]?[jt]s$|\.[jt]sx$/;
const DECLARATION_NAME = /\.d\.(?:[^./\\]+\.)?[cm]?ts$/;
const LEADING_COMMENTS = /^\uFEFF?(?:#!.*)?(?:\s+|\/\/.*|\/\*[^]*?\*\/)*/;
const FLOW_PRAGMA = /@flow\b/;
const PRAGMA_REACH = 4096;

export function isSourceName(name: string): boolean {
  return SOURCE_NAME.test(name);
}

/** @throws RangeError when the text nests deeper than this thread's stack allows the parser to follow. */
export function readSource(path: string, text: string): Reading {
  const plugins = pluginsFor(path, text);
  const lenient = path.endsWith("ts") || path.endsWith("tsx");
  let best: Reading | undefined;
  for (const mode of modesFor(path)) {
    const reading = attempt(text, mode, plugins, lenient);
    if (best === undefined || isBetter(reading, best)) best = reading;
    if (best.problems.length === 0) break;
  }
  return best!;
}

function isBetter(candidate: Reading, current: Reading): boolean {
  if ((candidate.program === null) !== (current.program === null)) return candidate.program !== null;
  return candidate.problems.length < current.problems.length;
}

function modesFor(path: string): Mode[] {
  if (DECLARATION_NAME.test(path)) return ["module", "script"];
  if (/\.m[jt]s$/.test(path)) return ["module"];
  if (/\.c[jt]s$/.test(path)) return ["commonjs", "module"];
  return ["unambiguous", "commonjs", "module"];
}

function pluginsFor(path: string, text: string): ParserPlugin[] {
  const proposals: ParserPlugin[] = [
    "decoratorAutoAccessors",
    "deferredImportEvaluation",
    "sourcePhaseImports",
    "exportDefaultFrom",
  ];
  if (path.endsWith("ts")) {
    return [["typescript", { dts: DECLARATION_NAME.test(path) }], "decorators-legacy", ...proposals];
  }
  if (path.endsWith(".tsx")) return ["typescript", "jsx", "decorators-legacy", ...proposals];
  const comments = LEADING_COMMENTS.exec(text.slice(0, PRAGMA_REACH))?.[0] ?? "";
  return FLOW_PRAGMA.test(comments)
    ? [["flow", { all: true }], "jsx", "decorators", ...proposals]
    : ["jsx", "decorators", ...proposals];
}

function attempt(text: string, mode: Mode, plugins: ParserPlugin[], lenient: boolean): Reading {
  const options: ParserOptions = {
    sourceType: mode,
    plugins,
    errorRecovery: true,
    attachComment: false,
    // Only functions need line numbers; they are looked up from offsets, which is cheaper than a location per node.
    locations: false,
    allowUndeclaredExports: true,
  };
  if (mode !== "commonjs") {
    // CommonJS allows the last two by itself, and refuses to be told.
    options.allowAwaitOutsideFunction = mode !== "script";
    options.allowReturnOutsideFunction = true;
    options.allowNewTargetOutsideFunction = true;
  }
  try {
    const file = parse(text, options);
    const problems = file.errors
      // Interfaces, namespaces and globals merge in TypeScript: whether two declarations clash is for its checker to say.
      .filter((error) => !(lenient && error.reasonCode === "VarRedeclaration"))
      .map(problemFrom);
    return { program: file.program as unknown as SyntaxNode, problems };
  } catch (error) {
    return { program: null, problems: [problemFrom(error)] };
  }
}

function problemFrom(error: unknown): SyntaxProblem {
  if (error instanceof SyntaxError) {
    const { line = 1, column = 0 } = (error as { loc?: { line?: number; column?: number } }).loc ?? {};
    return { line, column, message: error.message.replace(/ \(\d+:\d+\)$/, "") };
  }
  throw error;
}

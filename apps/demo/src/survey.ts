// oxlint-disable typescript/no-unsafe-type-assertion -- syntax nodes are told apart by `type` at run time
/**
 * One pass over a syntax tree that counts its functions, measures each, and fingerprints those that are large enough.
 *
 * A function is a declaration, expression, arrow, method, getter, setter or constructor that has a body. Overloads, abstract
 * and ambient signatures are not. Its lines run from its first to its last, names and parameters included.
 *
 * Cyclomatic complexity, per function: 1, plus 1 for each `if`, `?:`, `for`, `for in`, `for of`, `while`, `do`, `case` with
 * a test, `catch`, `&&`, `||`, `??`, `&&=`, `||=` and `??=` in it. What happens inside a nested function counts there only.
 * Default values and optional chaining are not counted.
 *
 * The walk keeps its own stack: generated code nests deeper than the thread's stack is high.
 */
import { Fingerprint, tokenOf } from "./fingerprint.ts";
import type { SyntaxNode } from "./grammar.ts";

export interface SurveyedFunction {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly complexity: number;
  readonly nodes: number;
  readonly fingerprint: Fingerprint;
  /** The index of the enclosing function in the list, or -1. */
  readonly parent: number;
}

interface OpenFunction extends SurveyedFunction {
  complexity: number;
  nodes: number;
}

/** What is left to do: visit a node, open a function, or close the innermost one. */
type Step = SyntaxNode | Opening | typeof CLOSE;

interface Opening {
  readonly open: SyntaxNode;
  readonly type?: never;
}

const CLOSE = null;
const NOT_CHILDREN: ReadonlySet<string> = new Set([
  "type",
  "start",
  "end",
  "loc",
  "extra",
  "tokens",
  "comments",
  "errors",
  "leadingComments",
  "innerComments",
  "trailingComments",
]);
const FUNCTION_TYPES: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
  "ObjectMethod",
  "ClassMethod",
  "ClassPrivateMethod",
]);
const DECISION_TYPES: ReadonlySet<string> = new Set([
  "IfStatement",
  "ConditionalExpression",
  "ForStatement",
  "ForInStatement",
  "ForOfStatement",
  "WhileStatement",
  "DoWhileStatement",
  "CatchClause",
  "LogicalExpression",
]);
const LOGICAL_ASSIGNMENTS: ReadonlySet<unknown> = new Set(["&&=", "||=", "??="]);
/** Where a function's name is written, and where the function. */
const NAMING_FIELDS: ReadonlyMap<string, { readonly name: string | null; readonly value: string }> = new Map([
  ["VariableDeclarator", { name: "id", value: "init" }],
  ["AssignmentExpression", { name: "left", value: "right" }],
  ["AssignmentPattern", { name: "left", value: "right" }],
  ["ObjectProperty", { name: "key", value: "value" }],
  ["ClassProperty", { name: "key", value: "value" }],
  ["ClassPrivateProperty", { name: "key", value: "value" }],
  ["ExportDefaultDeclaration", { name: null, value: "declaration" }],
]);
const OWN_NAME: readonly string[] = ["id", "key", "decorators"];
const NOTHING: readonly string[] = [];
/** Tokens of an absent child and a present one; far from arities, which are mixed as they are. */
const HOLE = 0x40000000;
const NODE = 0x20000000;
const NAME_LENGTH = 60;
const NODES_BETWEEN_POLLS = 8192;

/**
 * The functions of a program in source order.
 * @param poll called every few thousand nodes; what it throws ends the survey.
 */
export function surveyFunctions(program: SyntaxNode, poll: () => void): SurveyedFunction[] {
  const functions: OpenFunction[] = [];
  const steps: Step[] = [program];
  const givenNames = new Map<unknown, string>();
  let current = -1;
  let visited = 0;

  while (steps.length > 0) {
    const step = steps.pop()!;
    if (step === CLOSE) {
      const inner = functions[current]!;
      current = inner.parent;
      const outer = functions[current];
      if (outer !== undefined) {
        outer.nodes += inner.nodes;
        outer.fingerprint.mixNested(inner.fingerprint);
      }
    } else if (step.type === undefined) {
      const opened = openFunction(step.open, current, givenNames);
      current = functions.push(opened) - 1;
      steps.push(CLOSE);
      pushChildren(step.open, steps, opened.fingerprint, OWN_NAME);
    } else {
      if (++visited % NODES_BETWEEN_POLLS === 0) poll();
      nameFunctions(step, givenNames);
      if (isFunction(step)) {
        // A computed key or a decorator is evaluated outside, so it is visited before the function opens.
        steps.push({ open: step });
        for (const key of OWN_NAME) pushChild(step[key], steps);
      } else {
        const owner = functions[current];
        if (owner !== undefined) {
          owner.nodes++;
          owner.complexity += isDecision(step) ? 1 : 0;
        }
        pushChildren(step, steps, owner?.fingerprint, NOTHING);
      }
    }
  }
  return functions;
}

function isFunction(node: SyntaxNode): boolean {
  return FUNCTION_TYPES.has(node.type) && node["body"] != null;
}

function isDecision(node: SyntaxNode): boolean {
  if (DECISION_TYPES.has(node.type)) return true;
  if (node.type === "SwitchCase") return node["test"] != null;
  return node.type === "AssignmentExpression" && LOGICAL_ASSIGNMENTS.has(node["operator"]);
}

function openFunction(node: SyntaxNode, parent: number, givenNames: Map<unknown, string>): OpenFunction {
  const name = nameIn(node["id"]) ?? nameIn(node["key"]) ?? givenNames.get(node) ?? "(anonymous)";
  return {
    name: name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH)}…` : name,
    start: node.start,
    end: node.end,
    complexity: 1,
    nodes: 1,
    fingerprint: new Fingerprint(),
    parent,
  };
}

/** Pushes the children so that the first is on top, and mixes the node's shape into the fingerprint. */
function pushChildren(
  node: SyntaxNode,
  steps: Step[],
  fingerprint: Fingerprint | undefined,
  leftOut: readonly string[],
): void {
  fingerprint?.mix(tokenOf(node.type));
  let bottom = steps.length;
  for (const key in node) {
    if (NOT_CHILDREN.has(key) || leftOut.includes(key)) continue;
    const value = node[key];
    if (Array.isArray(value)) {
      fingerprint?.mix(value.length);
      for (const [index, child] of value.entries()) {
        if (child === null) fingerprint?.mix(HOLE + index);
        else pushChild(child, steps);
      }
    } else if (typeof value === "object") {
      fingerprint?.mix(value === null ? HOLE : NODE);
      pushChild(value, steps);
    } else if (value === true) {
      fingerprint?.mix(tokenOf(key));
    } else if (typeof value === "string" && fingerprint !== undefined) {
      if (key === "name") fingerprint.mixName(value);
      else if (key === "operator" || key === "kind") fingerprint.mix(tokenOf(value));
    }
  }
  for (let top = steps.length - 1; bottom < top; bottom++, top--) {
    const step = steps[bottom]!;
    steps[bottom] = steps[top]!;
    steps[top] = step;
  }
}

function pushChild(value: unknown, steps: Step[]): void {
  if (isNode(value)) steps.push(value);
}

/** Functions without a name of their own are called after what they are assigned to. */
function nameFunctions(node: SyntaxNode, givenNames: Map<unknown, string>): void {
  const fields = NAMING_FIELDS.get(node.type);
  if (fields === undefined) return;
  const value = node[fields.value];
  if (!isNode(value) || !FUNCTION_TYPES.has(value.type)) return;
  const name = fields.name === null ? "default" : nameIn(node[fields.name]);
  if (name !== undefined) givenNames.set(value, name);
}

function nameIn(target: unknown): string | undefined {
  if (!isNode(target)) return undefined;
  const { type, name, value } = target;
  if (type === "Identifier" && typeof name === "string") return name;
  if (type === "PrivateName") return `#${nameIn(target["id"])}`;
  if (type === "ThisExpression") return "this";
  if (type === "StringLiteral" || type === "NumericLiteral") return `${value as string | number}`;
  if (type !== "MemberExpression") return undefined;
  const object = nameIn(target["object"]);
  const property = target["computed"] === true ? undefined : nameIn(target["property"]);
  return property !== undefined && object !== undefined ? `${object}.${property}` : property;
}

/** Written for speed: asked of every field of every node. */
function isNode(value: unknown): value is SyntaxNode {
  return typeof (value as SyntaxNode | null | undefined)?.type === "string";
}

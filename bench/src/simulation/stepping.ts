/**
 * Turns ordinary functions into ones that stop before every atomic operation, so that many simulated threads run in one real one.
 * Whatever reaches an atomic operation becomes a generator: found by name, over all files together, until no more are found. A call by such a name
 * asks at run time whether it has got a generator, so an array's `push` next to a ring's is no trouble.
 *
 *     load(words, i)        (mustGiveWay() && (yield), load(words, i))
 *     ring.pop()            (isSteps($ = ring.pop()) ? yield* $ : $)
 *     get used() { … }      get used() { return (function* () { … }).call(this) }
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { parseAst } from "rolldown/parseAst";

/** Of `shared/atomics.ts`: one step each. Those that may block are generators of the machine's. */
const OPERATIONS: ReadonlySet<string> = new Set([
  "load",
  "store",
  "cas",
  "exchange",
  "add",
  "waitAsync",
  "notify",
]);
const BLOCKING: readonly string[] = ["wait", "awaitWoken"];
/** Function-valued fields whose functions step. */
const CALLBACKS: readonly string[] = ["found"];

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Edit {
  readonly at: number;
  readonly text: string;
  readonly closes: boolean;
}

export class Stepping {
  readonly #sources = new Map<string, string>();
  readonly #trees = new Map<string, Node>();
  readonly #names = new Set([...BLOCKING, ...CALLBACKS]);
  readonly #machine: string;

  /** @param files Whose functions step. @param machine The URL of the module that has `mustGiveWay` and `isSteps`. */
  constructor(files: readonly URL[], machine: URL) {
    this.#machine = machine.href;
    for (const file of files) {
      const source = readFileSync(file, "utf8");
      this.#sources.set(file.href, source);
      this.#trees.set(file.href, parseAst(source, { lang: "ts" }) as unknown as Node);
    }
    for (let known = -1; known !== this.#names.size;) {
      known = this.#names.size;
      for (const tree of this.#trees.values()) this.#collect(tree);
    }
  }

  has(url: string): boolean {
    return this.#sources.has(url);
  }

  /** JavaScript. */
  transformed(url: string): string {
    const edits: Edit[] = [];
    this.#edit(this.#trees.get(url)!, null, false, edits);
    let source = this.#sources.get(url)!;
    // From the end; where several meet, what closes stands before what opens, each in the order in which it was found.
    const sorted = [...edits.filter(({ closes }) => closes), ...edits.filter(({ closes }) => !closes)]
      .toReversed()
      .toSorted((a, b) => b.at - a.at);
    for (const { at, text } of sorted) source = source.slice(0, at) + text + source.slice(at);
    const head = `import { mustGiveWay as $mustGiveWay, isSteps as $isSteps } from ${JSON.stringify(this.#machine)};let $;`;
    return head + stripTypeScriptTypes(source);
  }

  /** Names of functions and getters whose bodies step. */
  #collect(node: Node): void {
    const name = nameOfFunction(node);
    if (name !== null && this.#steps(bodyOf(node))) this.#names.add(name);
    for (const child of childrenOf(node)) this.#collect(child);
  }

  /** Whether anything in it steps, functions inside of it left out. */
  #steps(node: Node): boolean {
    if (isFunction(node)) return false;
    return this.#isStep(node) || childrenOf(node).some((child) => this.#steps(child));
  }

  #isStep(node: Node): boolean {
    const name = nameOfUse(node);
    return name !== null && (this.#names.has(name) || isOperation(node));
  }

  #edit(node: Node, parent: Node | null, steps: boolean, edits: Edit[]): void {
    const becomesGenerator =
      isFunction(node) && this.#steps(bodyOf(node)) && parent?.["kind"] !== "constructor";
    const inside = isFunction(node) ? becomesGenerator : steps;
    const around = becomesGenerator ? generatorAround(node, parent) : this.#stepAround(node, parent, inside);
    if (around !== null) edits.push({ at: around.from, text: around.before, closes: false });
    for (const child of childrenOf(node)) this.#edit(child, node, inside, edits);
    if (around !== null) edits.push({ at: around.to, text: around.after, closes: true });
  }

  /** Null for what does not step, and what is only the name of what does. */
  #stepAround(node: Node, parent: Node | null, inside: boolean): Around | null {
    const isCallee = parent?.type === "CallExpression" && parent["callee"] === node;
    const isTarget = parent?.type === "AssignmentExpression" && parent["left"] === node;
    if (!inside || isCallee || isTarget || !this.#isStep(node)) return null;
    const { start: from, end: to } = node;
    return isOperation(node)
      ? { from, before: "($mustGiveWay() && (yield), ", to, after: ")" }
      : { from, before: "($isSteps($ = ", to, after: ") ? yield* $ : $)" };
  }
}

/** What is written before and behind. */
interface Around {
  readonly from: number;
  readonly before: string;
  readonly to: number;
  readonly after: string;
}

function generatorAround(node: Node, parent: Node | null): Around {
  const { start, end, type } = node["body"] as Node;
  if (node.type === "ArrowFunctionExpression") {
    return type === "BlockStatement"
      ? { from: start, before: "(function* () ", to: end, after: ").call(this)" }
      : { from: start, before: "(function* () { return ", to: end, after: " }).call(this)" };
  }
  if (parent?.["kind"] === "get") {
    return { from: start + 1, before: " return (function* () {", to: end - 1, after: "}).call(this) " };
  }
  const name = (parent?.type === "MethodDefinition" ? parent["key"] : node["id"]) as Node;
  return { from: name.start, before: "*", to: end, after: "" };
}

function isFunction({ type }: Node): boolean {
  return (
    type === "FunctionExpression" || type === "FunctionDeclaration" || type === "ArrowFunctionExpression"
  );
}

function nameOfFunction(node: Node): string | null {
  if (node.type === "FunctionDeclaration") return (node["id"] as { name: string }).name;
  if (node.type !== "MethodDefinition" || node["kind"] === "constructor") return null;
  return (node["key"] as { name: string }).name;
}

/** Of a function, or of a method. */
function bodyOf(node: Node): Node {
  return (node.type === "MethodDefinition" ? (node["value"] as Node)["body"] : node["body"]) as Node;
}

/** What is called, or read from an object. */
function nameOfUse(node: Node): string | null {
  const callee = node.type === "CallExpression" ? (node["callee"] as Node) : null;
  if (callee?.type === "Identifier") return callee["name"] as string;
  const member = callee ?? node;
  if (member.type !== "MemberExpression" || member["computed"] === true) return null;
  return (member["property"] as { name: string }).name;
}

function isOperation(node: Node): boolean {
  const callee = node["callee"] as Node | undefined;
  return (
    node.type === "CallExpression" &&
    callee?.type === "Identifier" &&
    OPERATIONS.has(callee["name"] as string)
  );
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

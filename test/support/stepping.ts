/**
 * Turns ordinary functions into ones that stop before every atomic operation, so that many simulated threads run in one real one.
 * Whatever reaches an atomic operation becomes a generator: found by name, over all files together, until no more are found. A call by such a name
 * asks at run time whether it has got a generator, so an array's `push` next to a ring's is no trouble. The operations are functions that
 * a machine may stop before, or generators themselves.
 *
 *     load(words, i)        (mustGiveWay() && (yield), load(words, i))
 *     ring.pop()            (isSteps($ = ring.pop()) ? yield* $ : $)
 *     get used() { … }      get used() { return (function* () { … }).call(this) }
 *
 * A constructor cannot stop: what it does happens with the operation before it.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { parseAst } from "rolldown/parseAst";

/** Of `shared/atomics.ts`: one step each. Those that may block are generators. */
const OPERATIONS: readonly string[] = ["load", "store", "cas", "exchange", "add", "waitAsync", "notify"];
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
  /** Those that are not generators. */
  readonly #operations = new Set<string>();
  readonly #head: string;

  /**
   * @param files Whose functions step.
   * @param machine The URL of the module that has `isSteps`, and `mustGiveWay` where the operations are functions, `atOnce` where they are generators.
   */
  constructor(files: readonly URL[], machine: URL, operations: "functions" | "generators") {
    const other = operations === "functions" ? "mustGiveWay" : "atOnce";
    this.#head = `import { ${other} as $${other}, isSteps as $isSteps } from ${JSON.stringify(machine.href)};let $;`;
    for (const name of OPERATIONS) (operations === "functions" ? this.#operations : this.#names).add(name);
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

  /** Of all files. */
  get digest(): string {
    const hash = createHash("sha256");
    for (const source of this.#sources.values()) hash.update(source);
    return hash.digest("hex");
  }

  has(url: string): boolean {
    return this.#sources.has(url);
  }

  /** JavaScript. */
  transformed(url: string): string {
    const edits: Edit[] = [];
    this.#edit(this.#trees.get(url)!, null, "nothing", edits);
    let source = this.#sources.get(url)!;
    // From the end; where several meet, what closes stands before what opens, each in the order in which it was found.
    const sorted = [...edits.filter(({ closes }) => closes), ...edits.filter(({ closes }) => !closes)]
      .toReversed()
      .toSorted((a, b) => b.at - a.at);
    for (const { at, text } of sorted) source = source.slice(0, at) + text + source.slice(at);
    return this.#head + stripTypeScriptTypes(source);
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
    return name !== null && (this.#names.has(name) || this.#isOperation(node));
  }

  #edit(node: Node, parent: Node | null, around: Surroundings, edits: Edit[]): void {
    let inside = around;
    if (isFunction(node)) {
      if (!this.#steps(bodyOf(node))) inside = "nothing";
      else inside = parent?.["kind"] === "constructor" ? "constructor" : "generator";
    }
    const edit =
      isFunction(node) && inside === "generator"
        ? generatorAround(node, parent)
        : this.#stepAround(node, parent, inside);
    if (edit !== null) edits.push({ at: edit.from, text: edit.before, closes: false });
    for (const child of childrenOf(node)) this.#edit(child, node, inside, edits);
    if (edit !== null) edits.push({ at: edit.to, text: edit.after, closes: true });
  }

  /** Null for what does not step, and what is only the name of what does. */
  #stepAround(node: Node, parent: Node | null, inside: Surroundings): Around | null {
    const isCallee = parent?.type === "CallExpression" && parent["callee"] === node;
    const isTarget =
      parent?.type === "UpdateExpression" ||
      (parent?.type === "AssignmentExpression" && parent["left"] === node);
    if (inside === "nothing" || isCallee || isTarget || !this.#isStep(node)) return null;
    const { start: from, end: to } = node;
    const isOperation = this.#isOperation(node);
    if (inside === "constructor") return isOperation ? null : { from, before: "$atOnce(", to, after: ")" };
    return isOperation
      ? { from, before: "($mustGiveWay() && (yield), ", to, after: ")" }
      : { from, before: "($isSteps($ = ", to, after: ") ? yield* $ : $)" };
  }

  #isOperation(node: Node): boolean {
    const callee = node["callee"] as Node | undefined;
    return (
      node.type === "CallExpression" &&
      callee?.type === "Identifier" &&
      this.#operations.has(callee["name"] as string)
    );
  }
}

/** What the function around a node becomes. */
type Surroundings = "generator" | "constructor" | "nothing";

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
  const isMethod = parent?.type === "MethodDefinition" || parent?.["method"] === true;
  const name = (isMethod ? parent["key"] : node["id"]) as Node;
  return { from: name.start, before: "*", to: end, after: "" };
}

function isFunction({ type }: Node): boolean {
  return (
    type === "FunctionExpression" || type === "FunctionDeclaration" || type === "ArrowFunctionExpression"
  );
}

function nameOfFunction(node: Node): string | null {
  const isVariable = node.type === "VariableDeclarator" && isNode(node["init"]) && isFunction(node["init"]);
  if (isVariable || node.type === "FunctionDeclaration") return (node["id"] as { name: string }).name;
  if (node.type !== "MethodDefinition" || node["kind"] === "constructor") return null;
  return (node["key"] as { name: string }).name;
}

/** Of a function, or of a method or variable that holds one. */
function bodyOf(node: Node): Node {
  return ((node["value"] ?? node["init"] ?? node) as Node)["body"] as Node;
}

/** What is called, or read from an object. */
function nameOfUse(node: Node): string | null {
  const callee = node.type === "CallExpression" ? (node["callee"] as Node) : null;
  if (callee?.type === "Identifier") return callee["name"] as string;
  const member = callee ?? node;
  if (member.type !== "MemberExpression" || member["computed"] === true) return null;
  return (member["property"] as { name: string }).name;
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

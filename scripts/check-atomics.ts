/**
 * Checks that the protocols of shared memory are written down and that the code refers to them. `node scripts/check-atomics.ts`
 * lists as file:line what breaks a rule, and exits 1 then. The rules:
 *
 *   1. In each package only src/shared/atomics.ts names `Atomics`.
 *   2. Each call of a function from it carries a tag in a comment: `[P1]`, a pairing, or `[unpaired]` with the reason.
 *      The comment stands on the lines of the call, directly above its statement, or, where the line opens a block, directly below.
 *   3. Each tag is defined in the header of its file, under Pairings, and each pairing defined there is used.
 *   4. The header has its sections, in order.
 */
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

const ATOMICS = "src/shared/atomics.ts";
const SECTIONS = ["Words", "State", "Moves", "Invariants", "Pairings", "Liveness", "Sources"];
/** Touches no memory. */
const UNTAGGED = new Set(["pause", "sleep"]);
const TAG = /\[([A-Z]+\d+|unpaired)\]/g;

interface Problem {
  readonly line: number;
  readonly message: string;
}

/** A source by lines: what is code, with comments and the insides of strings blanked, and what is comment. */
interface Lines {
  readonly code: string[];
  readonly comments: string[];
}

const root = resolve(process.argv[2] ?? `${import.meta.dirname}/..`);
const files = globSync("packages/*/src/**/*.ts", { cwd: root }).toSorted();
let problems = 0;
for (const file of files) {
  const path = file.replaceAll("\\", "/");
  if (isSeam(path)) continue;
  for (const { line, message } of check(readFileSync(resolve(root, file), "utf8"))) {
    console.error(`${path}:${line}: ${message}`);
    problems++;
  }
}
if (!files.some((file) => isSeam(file.replaceAll("\\", "/")))) {
  console.error(`packages/*/${ATOMICS}:1: not found`);
  problems++;
}
if (problems > 0) process.exitCode = 1;
else
  console.log(`check-atomics: ${files.length} files, every atomic operation is tagged and every tag defined`);

/** The one file of its package that may name Atomics. */
function isSeam(path: string): boolean {
  return /^packages\/[^/]+\//.exec(path)?.[0] + ATOMICS === path;
}

function check(text: string): Problem[] {
  const found: Problem[] = [];
  const lines = split(text);
  for (const [i, code] of lines.code.entries()) {
    if (/(?<![\w$#])Atomics(?![\w$])/.test(code)) {
      found.push({ line: i + 1, message: `only ${ATOMICS} may name Atomics` });
    }
  }
  const names = importedNames(text, lines, found);
  if (names.length === 0) return found;
  const header = checkHeader(text, found);
  const used = new Set<string>();
  for (const call of calls(lines, names, found)) checkCall(call, lines, found);
  for (const [i, comment] of lines.comments.entries()) {
    if (i < header.lines) continue;
    for (const [, tag] of comment.matchAll(TAG)) {
      if (tag === "unpaired") continue;
      used.add(tag!);
      if (!header.pairings.has(tag!)) {
        found.push({
          line: i + 1,
          message: `[${tag}] is not defined under Pairings in the header of this file`,
        });
      }
    }
  }
  for (const [tag, line] of header.pairings) {
    if (!used.has(tag))
      found.push({ line, message: `[${tag}] is defined, but nothing in this file is tagged with it` });
  }
  return found.toSorted((a, b) => a.line - b.line);
}

/** The local names of the functions that the file imports from atomics.ts. */
function importedNames(text: string, lines: Lines, found: Problem[]): string[] {
  const names: string[] = [];
  const statement = /^import\s+(?!type\b)([^;]*?)\s+from\s+["'][^"']*\/atomics\.ts["']/gm;
  for (const match of text.matchAll(statement)) {
    const line = lineAt(text, match.index);
    // In a comment it is no import.
    if (!lines.code[line - 1]!.startsWith("import")) continue;
    const list = /^\{([^}]*)\}$/.exec(match[1]!);
    if (list === null) {
      found.push({
        line,
        message: "import the functions of atomics.ts by name, so that their calls can be found",
      });
      continue;
    }
    for (const item of list[1]!.split(",")) {
      const [name, alias] = item.trim().split(/\s+as\s+/);
      if (name !== "" && !name!.startsWith("type ") && !UNTAGGED.has(name!)) names.push(alias ?? name!);
    }
  }
  return names;
}

/** First and last line of each call, from 0. */
interface Call {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

function* calls({ code }: Lines, names: string[], found: Problem[]): Iterable<Call> {
  const all = code.join("\n");
  const body = all.replace(/^import\b[^;]*;/gm, (statement) => statement.replace(/[^\n]/g, " "));
  for (const match of body.matchAll(
    new RegExp(`(?<![\\w$#.])(${names.join("|")})(?![\\w$])(?!\\s*:)`, "g"),
  )) {
    const first = lineAt(body, match.index) - 1;
    const open =
      match.index + match[0].length + /^\s*/.exec(body.slice(match.index + match[0].length))![0].length;
    if (body[open] !== "(") {
      found.push({
        line: first + 1,
        message: `${match[1]} is used as a value: call it, so that each use can be tagged`,
      });
      continue;
    }
    let depth = 0;
    let end = open;
    do {
      if (body[end] === "(") depth++;
      else if (body[end] === ")") depth--;
      end++;
    } while (depth > 0 && end < body.length);
    // A method of the same name is declared, not called.
    if (
      /^\s*(:[^;{}]*)?\{/.test(body.slice(end)) &&
      /^\s*(?:static\s+|async\s+)*$/.test(lineUpTo(body, match.index))
    )
      continue;
    yield { name: match[1]!, first, last: lineAt(body, end - 1) - 1 };
  }
}

function checkCall({ name, first, last }: Call, { code, comments }: Lines, found: Problem[]): void {
  const isComment = (i: number): boolean => code[i]?.trim() === "" && comments[i] !== "";
  const near = comments.slice(first, last + 1);
  // Up to the first line of the statement, then the comment above it.
  let start = first;
  while (start > 0 && code[start - 1]!.trim() !== "" && !/[;{}]\s*$/.test(code[start - 1]!)) start--;
  for (let i = start - 1; isComment(i); i--) near.unshift(comments[i]!);
  // The formatter moves a comment behind an opening brace to the line below.
  if (/\{\s*$/.test(code[last]!)) {
    for (let i = last + 1; isComment(i); i++) near.push(comments[i]!);
  }
  const comment = near.join(" ");
  const tags = [...comment.matchAll(TAG)].map(([, tag]) => tag);
  if (tags.length === 0) {
    found.push({
      line: first + 1,
      message: `${name}(…) has no tag: name its pairing, [P1], or say [unpaired] and why`,
    });
  } else if (tags.includes("unpaired") && !/\[unpaired\]\W*\w+\W+\w+/.test(comment)) {
    found.push({ line: first + 1, message: "[unpaired] needs a reason of two words at least" });
  }
}

interface Header {
  /** How many lines it ends after. */
  readonly lines: number;
  /** Tag and the line of its definition. */
  readonly pairings: Map<string, number>;
}

function checkHeader(text: string, found: Problem[]): Header {
  const pairings = new Map<string, number>();
  const end = text.startsWith("/**") ? text.indexOf("*/") : -1;
  if (end < 0) {
    found.push({
      line: 1,
      message: `a file with atomic operations begins with a header: ${SECTIONS.join(", ")}`,
    });
    return { lines: 0, pairings };
  }
  const header = text.slice(0, end).split("\n");
  const seen: string[] = [];
  for (const [i, line] of header.entries()) {
    const section = /^ \* ([A-Z]\w+) +\S/.exec(line)?.[1];
    if (section !== undefined && SECTIONS.includes(section)) {
      const before = SECTIONS.indexOf(section);
      const wrong = seen.find((other) => SECTIONS.indexOf(other) >= before);
      if (wrong !== undefined)
        found.push({ line: i + 1, message: `section ${section} belongs before ${wrong}, once` });
      seen.push(section);
    }
    // The definition begins the line; what follows in the text is a reference.
    const definition = /^ \*(?: Pairings)? +\[([A-Z]+\d+)\]/.exec(line)?.[1];
    if (definition !== undefined && seen.at(-1) === "Pairings") pairings.set(definition, i + 1);
  }
  const missing = SECTIONS.filter((section) => !seen.includes(section));
  if (missing.length > 0) found.push({ line: 1, message: `the header has no section ${missing.join(", ")}` });
  return { lines: header.length, pairings };
}

/** Tells code, comments and strings apart; good for formatted TypeScript, not for every regular expression. */
function split(text: string): Lines {
  const code: string[] = [""];
  const comments: string[] = [""];
  /** Depths of braces at which the code within a template literal ends. */
  const templates: number[] = [];
  let braces = 0;
  let i = 0;
  const put = (target: string[], characters: string): void => {
    for (const character of characters) {
      if (character === "\n") {
        code.push("");
        comments.push("");
      } else {
        target[target.length - 1] += character;
      }
    }
  };
  /** From an opening quote, or the brace that ends code in a template, to behind the closing one. */
  const skipString = (quote: string): void => {
    put(code, text[i++]!);
    while (i < text.length && text[i] !== quote) {
      if (quote === "`" && text.startsWith("${", i)) {
        put(code, "${");
        i += 2;
        templates.push(braces++);
        return;
      }
      if (text[i] === "\\") i++;
      put(code, text[i++] === "\n" ? "\n" : " ");
    }
    put(code, quote);
    i++;
  };
  while (i < text.length) {
    const character = text[i]!;
    if (text.startsWith("//", i) || text.startsWith("/*", i)) {
      const isLine = text[i + 1] === "/";
      const close = text.indexOf(isLine ? "\n" : "*/", i + 2);
      const end = close < 0 ? text.length : isLine ? close : close + 2;
      put(comments, text.slice(i, end));
      i = end;
    } else if (character === '"' || character === "'" || character === "`") {
      skipString(character);
    } else if (character === "}" && templates.at(-1) === braces - 1) {
      templates.pop();
      braces--;
      skipString("`");
    } else if (character === "/" && /(?:^|[=(,:;!&|?{}[]|\breturn)\s*$/.test(code.at(-1)!)) {
      const literal = /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//.exec(text.slice(i))?.[0] ?? "/";
      put(code, literal.replace(/./g, " "));
      i += literal.length;
    } else {
      if (character === "{") braces++;
      else if (character === "}") braces--;
      put(code, character);
      i++;
    }
  }
  return { code, comments };
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function lineUpTo(text: string, index: number): string {
  return text.slice(text.lastIndexOf("\n", index - 1) + 1, index);
}

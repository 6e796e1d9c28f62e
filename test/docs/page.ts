/**
 * The programs in a page of docs/, or in a README. Each code block is a file, which its first line names: `// main.ts`. All files of a page
 * lie in one folder, so a program may import a job module from further up. A `text` block shows what the file above it prints; a `sh`
 * block with `node main.ts` says that main.ts runs, whatever it prints. A page with `diff` blocks makes two folders, before and after; both
 * must print the same. A block that says `no-run` needs what a test has not, such as a server: it is type-checked.
 */
export interface Page {
  /** By version: "after" alone, or "before" too. */
  readonly versions: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** What each program prints, by the name of its file; null: anything. */
  readonly outputs: ReadonlyMap<string, string | null>;
  /** The files that are type-checked only. */
  readonly unrun: ReadonlySet<string>;
}

const BLOCK = /^```(\w*)(?: (no-run))?\n(.*?)^```$/gms;
const CODE = new Set(["ts", "js", "diff"]);
/** Files that are data. */
const SHOWN = new Set(["json", "dockerfile"]);

/** @throws when a block has no name, no known language, or the name of another. */
export function readPage(path: string, markdown: string): Page {
  const before = new Map<string, string>();
  const after = new Map<string, string>();
  const outputs = new Map<string, string | null>();
  const unrun = new Set<string>();
  let last: string | null = null;
  for (const [, language = "", mark, body = ""] of markdown.matchAll(BLOCK)) {
    if (language === "text") {
      if (last === null) throw new Error(`${path}: nothing above prints this:\n${body}`);
      outputs.set(last, body);
      last = null;
    } else if (CODE.has(language)) {
      const name = /^ ?\/\/ (\S+\.\w+)(?:[:,] .*)?\n/.exec(body)?.[1];
      if (name === undefined)
        throw new Error(`${path}: the first line of this block names no file, as in "// main.ts":\n${body}`);
      if (after.has(name) || before.has(name)) throw new Error(`${path}: two blocks are called ${name}`);
      last = name;
      if (mark !== undefined) unrun.add(name);
      add(before, name, language === "diff" ? side(body, "-") : body);
      add(after, name, language === "diff" ? side(body, "+") : body);
    } else if (language === "sh") {
      for (const [, name = ""] of body.matchAll(/^node (\S+)$/gm))
        if (after.has(name)) outputs.set(name, null);
    } else if (!SHOWN.has(language))
      throw new Error(`${path}: no language that is known here: "${language}"`);
  }
  const versions = new Map([["after", after]]);
  if (/^```diff$/m.test(markdown)) versions.set("before", before);
  return { versions, outputs, unrun };
}

/** The files that are programs: those with an output, and tests. */
export function programsOf(page: Page, version: string): string[] {
  const names = [...page.versions.get(version)!.keys()];
  return names.filter((name) => page.outputs.has(name) || isTest(name));
}

/** The files that no program of the page could reach, since nobody names them. */
export function unusedIn(page: Page, version: string): string[] {
  const files = page.versions.get(version)!;
  const programs = new Set(programsOf(page, version));
  return [...files.keys()].filter(
    (name) =>
      !programs.has(name) &&
      !page.unrun.has(name) &&
      ![...files].some(([other, text]) => other !== name && text.includes(`./${name}`)),
  );
}

export function isTest(name: string): boolean {
  return /\.test\.\w+$/.test(name);
}

/** A file of which one version has nothing but its name is not there. */
function add(files: Map<string, string>, name: string, text: string): void {
  if (text.trim().split("\n").length > 1) files.set(name, text);
}

/** One version of a diff: its lines and those of both. */
function side(diff: string, sign: "+" | "-"): string {
  const lines = diff
    .split("\n")
    .filter((line) => line === "" || line.startsWith(" ") || line.startsWith(sign));
  return lines.map((line) => line.slice(1)).join("\n");
}

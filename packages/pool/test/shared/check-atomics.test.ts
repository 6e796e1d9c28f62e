import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../../../scripts/check-atomics.ts", import.meta.url));
const header = `/**
 * Thing: for the test.
 *
 * Words      WORD @ 0
 * State      0 or 1
 * Moves      0 → 1
 * Invariants I1 none
 * Pairings   [P1] one thing comes before the other, by [P2] too.
 *            [P2] and the reverse.
 * Liveness   yes
 * Sources    none
 */
import { cas, load, type Words } from "./atomics.ts";
`;
const body = `
load(words, 0); // [P1]
cas(words, 0, 0, 1); // [P2] [P1]
load(words, 0); // [unpaired] statistic only
`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "check-atomics-"));
  mkdirSync(join(root, "packages/pool/src/shared"), { recursive: true });
  write("atomics.ts", "export function load(words, i) {\n  return Atomics.load(words, i);\n}\n");
});
afterEach(() => rmSync(root, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(root, "packages/pool/src/shared", name), text);
}

/** What the script says of `thing.ts`: its messages, without the folder; none when it exits 0. */
function check(thing: string): string[] {
  write("thing.ts", thing);
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: "utf8" });
  const messages = stderr.split("\n").filter((line) => line.startsWith("packages/"));
  expect(status).toBe(messages.length === 0 ? 0 : 1);
  return messages.map((message) => message.replace("packages/pool/src/shared/", ""));
}

describe("check-atomics", () => {
  it("passes a file that follows the rules", () => {
    expect(check(header + body)).toEqual([]);
  });

  it("passes a file without atomic operations, with neither header nor tags", () => {
    expect(
      check("// Atomics and load(words, 0) in a comment\nexport const text = `Atomics ${1}`;\n"),
    ).toEqual([]);
  });

  it("finds Atomics in another file, also within a template literal", () => {
    expect(
      check("export const n = Atomics.load(w, 0);\nexport const t = `${Atomics.load(w, 0)}`;\n"),
    ).toEqual([
      "thing.ts:1: only src/shared/atomics.ts may name Atomics",
      "thing.ts:2: only src/shared/atomics.ts may name Atomics",
    ]);
  });

  it("finds a call without a tag, whatever stands on the lines around", () => {
    const call =
      "load(words, 0); // [P1]\nload(words, 1); // no tag\nload(words, 2);\n// [P2]\ncas(words, 0, 0, 1);\n";
    expect(check(header + call)).toEqual([
      expect.stringMatching(/^thing\.ts:15: load\(…\) has no tag/),
      expect.stringMatching(/^thing\.ts:16: load\(…\) has no tag/),
    ]);
  });

  it("finds a call without a tag under another name", () => {
    const renamed = header.replace("load,", "load as read,") + body.replaceAll("load(", "read(");
    expect(check(renamed)).toEqual([]);
    expect(check(renamed.replace(" // [P1]\ncas", "\ncas"))).toEqual([
      expect.stringMatching(/^thing\.ts:15: read\(…\) has no tag/),
    ]);
  });

  it("takes a tag above the statement, at each line of the call, and below an opening brace", () => {
    const calls = `
// [P1]
const x =
  load(words, 0);
cas(
  words,
  0,
  0, // [P2]
  1,
);
if (cas(words, 0, 0, 1)) {
  // [P1]
  load(words, 0); // [P2]
}
`;
    expect(check(header + calls)).toEqual([]);
    expect(
      check(header + calls.replace("if (cas(words, 0, 0, 1)) {", "if (cas(words, 0, 0, 1)) {\n  other();")),
    ).toEqual([expect.stringMatching(/^thing\.ts:24: cas\(…\) has no tag/)]);
  });

  it("finds [unpaired] without a reason", () => {
    for (const reason of ["", " so", " statistic"]) {
      expect(check(header + body.replace(" statistic only", reason))).toEqual([
        "thing.ts:17: [unpaired] needs a reason of two words at least",
      ]);
    }
  });

  it("finds a tag that the header does not define", () => {
    expect(check(`${header}${body}load(words, 0); // [P3]\n`)).toEqual([
      "thing.ts:18: [P3] is not defined under Pairings in the header of this file",
    ]);
  });

  it("finds a pairing that nobody uses", () => {
    expect(check(header + body.replace("[P2] ", ""))).toEqual([
      "thing.ts:9: [P2] is defined, but nothing in this file is tagged with it",
    ]);
  });

  it("finds missing sections, sections out of order, and no header at all", () => {
    expect(check((header + body).replace(/ \* Moves.*\n/, "").replace(/ \* Liveness.*\n/, ""))).toEqual([
      "thing.ts:1: the header has no section Moves, Liveness",
    ]);
    const moved = header
      .replace(" * State      0 or 1\n", "")
      .replace(" * Liveness", " * State      0 or 1\n * Liveness");
    expect(check(moved + body)).toEqual(["thing.ts:9: section State belongs before Moves, once"]);
    const without = header.slice(header.indexOf("import"));
    expect(check(`${without}load(words, 0); // [unpaired] not the point\n`)).toEqual([
      expect.stringMatching(/^thing\.ts:1: a file with atomic operations begins with a header/),
    ]);
  });

  it("finds an import that hides the calls, and a function that is passed on", () => {
    expect(check('import * as atomics from "./atomics.ts";\natomics.load(words, 0);\n')).toEqual([
      "thing.ts:1: import the functions of atomics.ts by name, so that their calls can be found",
    ]);
    expect(check(`${header}${body}const later = load;\n`)).toEqual([
      "thing.ts:18: load is used as a value: call it, so that each use can be tagged",
    ]);
  });

  it("does not take a method of the same name for a call", () => {
    const method = `class C {\n  load(i: number): number {\n    return other.load(i);\n  }\n}\n`;
    expect(check(header + body + method)).toEqual([]);
  });

  it("asks no tag of `pause`, which touches no memory", () => {
    expect(check('import { pause } from "./atomics.ts";\npause();\n')).toEqual([]);
  });

  it("looks at every package, each with one such file", () => {
    const other = join(root, "packages/other/src");
    mkdirSync(join(other, "shared"), { recursive: true });
    writeFileSync(join(other, "shared/atomics.ts"), "export const load = Atomics.load;\n");
    expect(check("")).toEqual([]);
    writeFileSync(join(other, "atomics.ts"), "export const load = Atomics.load;\n");
    expect(check("")).toEqual([
      "packages/other/src/atomics.ts:1: only src/shared/atomics.ts may name Atomics",
    ]);
  });
});

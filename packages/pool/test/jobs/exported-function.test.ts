import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { writtenFiles } from "./written-files.ts";

type Jobs = Record<string, (x: number) => number>;

const esModule = `Object.defineProperty(exports, "__esModule", { value: true });`;

let pool: ThreadPool;
beforeAll(() => {
  pool = new ThreadPool({ maxThreads: 1 });
});
afterAll(() => pool.close());

describe("a function of a CommonJS module is found", () => {
  it.each<[string, string, Record<string, number>]>([
    [
      "as tsc emits it",
      `${esModule} exports.named = (x) => x + 2; exports.default = (x) => x + 1;`,
      { default: 2, named: 3 },
    ],
    [
      "as Babel emits it",
      `${esModule} exports.default = void 0; var _default = exports.default = (x) => x + 1;`,
      { default: 2 },
    ],
    ["module.exports = fn", "module.exports = (x) => x + 1;", { default: 2 }],
    [
      "module.exports = fn, with more on it",
      "module.exports = (x) => x + 1; module.exports.named = (x) => x + 2;",
      { default: 2, named: 3 },
    ],
    ["module.exports = { run }", "const run = (x) => x + 1; module.exports = { run };", { run: 2 }],
    [
      "of an object that was made elsewhere",
      "const made = {}; made['r' + 'un'] = (x) => x + 1; module.exports = made;",
      { run: 2 },
    ],
    ["under a computed name", "for (const name of ['a', 'b']) exports[name] = (x) => x + 1;", { a: 2, b: 2 }],
    [
      "behind a getter",
      `${esModule} for (const name of ["a"]) Object.defineProperty(exports, name, { enumerable: true, get: () => (x) => x + 1 });`,
      { a: 2 },
    ],
    [
      "behind default.default",
      `${esModule} exports.default = { __esModule: true, default: (x) => x + 1 };`,
      { default: 2 },
    ],
    [
      "when default is a property of the function",
      `module.exports = (x) => x + 9; Object.defineProperty(module.exports, "__esModule", { value: true }); module.exports.default = (x) => x + 1;`,
      { default: 2 },
    ],
    [
      "beside a getter that throws",
      "module.exports = { get bad() { throw new Error('bad'); }, run: (x) => x + 1 };",
      { run: 2 },
    ],
    ["re-exported by a loop", `${esModule} Object.assign(exports, require("./other.cjs"));`, { other: 2 }],
  ])("%s", async (_name, text, expected) => {
    const folder = writtenFiles({ "a.cjs": text, "other.cjs": "exports['other'] = (x) => x + 1;" });
    const jobs = pool.module<Jobs>(join(folder, "a.cjs"));
    const results = await Promise.all(
      Object.keys(expected).map(async (name) => [name, await jobs[name]!(1)]),
    );
    expect(Object.fromEntries(results)).toEqual(expected);
  });
});

it("a job that a module does not export: the error lists what can be called, and nothing else", async () => {
  const folder = writtenFiles({
    "a.mjs": "export class A {} export const b = 1; export function c() {} export default () => {};",
    "a.cjs": "class A {} module.exports = { A, b: 1, c() {} };",
  });
  const available = async (name: string) => {
    const error: unknown = await pool.module<Jobs>(join(folder, name))["missing"]!(1).then(
      null,
      (e: unknown) => e,
    );
    return (error as { available: string[] }).available;
  };
  expect((await available("a.mjs")).toSorted()).toEqual(["c", "default"]);
  expect(await available("a.cjs")).toEqual(["c"]);
});

it("the default export of an ES module is itself, however it looks", async () => {
  const folder = writtenFiles({ "a.mjs": "export default (x) => x + 1; export const named = (x) => x + 2;" });
  const jobs = pool.module<Jobs>(pathToFileURL(join(folder, "a.mjs")));
  expect([await jobs["default"]!(1), await jobs["named"]!(1)]).toEqual([2, 3]);
});

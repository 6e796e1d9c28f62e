import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { linesOf, writeLine } from "../src/cli/lines.ts";
import { progressLine, Progress } from "../src/cli/progress.ts";
import { command, fixtures, skein } from "./skein.ts";

test("skein map writes one result a line, in the order of the input, and skips empty lines", async () => {
  const input = "[[0,0],[0,1],[1,0]]\n\r\n[[0,0],[0,2],[2,2],[2,0]]\r\n[]";
  const ended = await skein(["map", "geo.jobs.ts#area", "--threads", "2"], { input });
  expect(ended).toEqual({ code: 0, stdout: "0.5\n4\n0\n", stderr: "" });
});

test("--text takes lines as they are; U+2028 ends no line", async () => {
  const ended = await skein(["map", "geo.jobs.ts#textOf", "--text"], { input: "1\na\u2028b\n" });
  expect(ended.stdout).toBe('"text of 1"\n"text of a\u2028b"\n');
});

test("the mark in front of a text that some programs write is no part of the first line", async () => {
  const input = "\uFEFF1\n\uFEFF2\n";
  const ended = await skein(["map", "geo.jobs.ts#textOf", "--text"], { input });
  expect(ended.stdout).toBe('"text of 1"\n"text of \uFEFF2"\n');
  expect(await skein(["map", "geo.jobs.ts#textOf"], { input: "\uFEFF1\n" })).toMatchObject({ code: 0 });
});

test("--unordered writes results as they are ready", async () => {
  const args = ["map", "geo.jobs.ts#later", "--unordered", "--threads", "2"];
  expect((await skein(args, { input: "1000\n1\n" })).stdout).toBe("1\n1000\n");
});

test("the first line that fails ends it, after the results before that line", async () => {
  const { code, stdout, stderr } = await skein(["map", "geo.jobs.ts#area"], { input: "[]\n\n7\n[]\n" });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "0\n" });
  expect(stderr).toMatch(
    /^skein: line 3 failed\nTypeError: points\.entries .*\n\s+at area \(file:.*geo\.jobs\.ts/,
  );
});

test("a line that is not JSON is one sentence and exit code 2", async () => {
  const { code, stdout, stderr } = await skein(["map", "geo.jobs.ts#area"], { input: "[]\n\n{\n" });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "0\n" });
  expect(stderr).toMatch(/^skein: line 3, \{, is not JSON; correct this: .*\n$/);
});

test("a result that JSON cannot hold fails, and says so", async () => {
  const { code, stderr } = await skein(["map", "geo.jobs.ts#counts"], { input: "1\n" });
  expect(code).toBe(1);
  expect(stderr).toContain(
    "skein: the result, Map(1) { 'a' => 1 }, cannot be written as JSON; return plain objects",
  );
});

test("it ends when the reader of its output leaves, however much input there is", async () => {
  const child = spawn(process.execPath, [command, "map", "geo.jobs.ts#textOf", "--text", "--threads", "1"], {
    cwd: fixtures,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  child.stdin.on("error", () => {}); // It leaves without having read all.
  Readable.from(endlessLines()).pipe(child.stdin);
  for await (const first of createInterface(child.stdout)) {
    expect(first).toBe('"text of x"');
    break;
  }
  child.stdout.destroy();
  expect(await closed).toEqual([0, null]);
});

test("lines are read when they are taken, and written when there is room", async () => {
  let chunks = 0;
  const source = new Readable({
    highWaterMark: 1,
    read() {
      chunks++;
      this.push("a\nb\n");
    },
  });
  const lines = linesOf(source);
  expect([await lines.next(), await lines.next()].map(({ value }) => value)).toEqual(["a", "b"]);
  expect(chunks).toBeLessThan(10);
  await lines.return();

  const takers: (() => void)[] = [];
  const slow = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, taken) => void takers.push(taken),
  });
  let isWritten = false;
  const written = writeLine(slow, "a").then(() => (isWritten = true));
  await new Promise(setImmediate);
  expect(isWritten).toBe(false);
  takers[0]!();
  await written;
});

test("progress is a bar where the end is known, and nothing where nobody watches", () => {
  expect(progressLine(1234, null)).toBe("1,234 done");
  expect(progressLine(10, 0.5)).toBe(`${"█".repeat(15)}${"░".repeat(15)}  50 %  10 done`);
  const drawn = (isTTY: boolean): string[] => {
    const written: string[] = [];
    const write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
    new Progress({ isTTY, columns: 8, write }, () => "0123456789").end();
    return written;
  };
  expect(drawn(true)).toEqual(["\r\u001B[K0123456", "\n"]);
  expect(drawn(false)).toEqual([]);
});

function* endlessLines(): Generator<string, never> {
  for (;;) yield "x\n".repeat(1000);
}

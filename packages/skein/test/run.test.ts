import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { skein } from "./skein.ts";

describe("skein run", () => {
  test("calls the export with JSON arguments and prints the result as JSON", async () => {
    const ended = await skein(["run", "./geo.jobs.ts#area", "[[0,0],[0,1],[1,0]]"]);
    expect(ended).toEqual({ code: 0, stdout: "0.5\n", stderr: "" });
  });

  test("takes negative numbers as arguments", async () => {
    expect(await skein(["run", "geo.jobs.ts#add", "-1", "-2.5"])).toMatchObject({
      code: 0,
      stdout: "-3.5\n",
    });
  });

  test("prints what JSON cannot hold as Node shows it, and nothing for undefined", async () => {
    expect((await skein(["run", "geo.jobs.ts#counts"])).stdout).toBe("Map(1) { 'a' => 1 }\n");
    expect(await skein(["run", "geo.jobs.ts#nothing"])).toEqual({ code: 0, stdout: "", stderr: "" });
    expect((await skein(["run", "geo.jobs.ts#holes"])).stdout).toBe("[ 1, <1 empty item>, 2 ]\n");
    expect((await skein(["run", "geo.jobs.ts#never"])).stdout).toBe("Invalid Date\n");
  });

  test("prints each item of a generator on a line of its own", async () => {
    const ended = await skein(["run", "geo.jobs.ts#upTo", "3"]);
    expect(ended).toEqual({ code: 0, stdout: "1\n2\n3\n", stderr: "" });
  });

  test("shows the error of a job with its stack and its properties, and exits with 1", async () => {
    const { code, stdout, stderr } = await skein(["run", "geo.jobs.ts#refuse"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^RangeError: no such shape\n\s+at refuse \(file:.*geo\.jobs\.ts:21:\d+\)/);
    expect(stderr).toContain("code: 'ERR_SHAPE'");
    expect(stderr).not.toContain("cli/run.js");
  });

  test("ends a job that never returns after --timeout-ms", async () => {
    const { code, stderr } = await skein(["run", "geo.jobs.ts#spin", "--timeout-ms", "50"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^skein: The job did not finish within 50 ms\..*\n$/);
  });
});

describe("wrong usage is one sentence and exit code 2", () => {
  test.each([
    [[], /^Usage: skein <command>/],
    [["rum"], /^skein: there is no command "rum"; did you mean "run"\?\n$/],
    [["run"], /^skein: name the job as <file>#<export>, as in .*\n$/],
    [["run", "geo.jobs.ts"], /^skein: "geo\.jobs\.ts" must name a file and one of its exports; write .*\n$/],
    [["run", "geo.jbs.ts#area"], /^skein: there is no file .*geo\.jbs\.ts; give the path .*\n$/],
    [["run", ".#area"], /^skein: .* is not a file; give .*\n$/],
    [["run", "http://a.example/geo.js#area"], /^skein: .* code is loaded from files only, so give a path\n$/],
    [["run", "file://host/geo.js#area"], /^skein: .* code is loaded from files only, so give a path\n$/],
    [["run", "geo.jobs.ts#are"], /^skein: .* has no exported function "are"\. Did you mean "area"\? .*\n$/],
    [["run", "geo.jobs.ts#then"], /^skein: an export called "then" cannot be a job; .*\n$/],
    [["run", "geo.jobs.ts#textOf", "hi"], /^skein: argument 1, hi, is not JSON; .* as in '"hi"'\n$/],
    [["run", "geo.jobs.ts#add", "1", "{"], /^skein: argument 2, \{, is not JSON; correct this: .*\n$/],
    [
      ["run", "geo.jobs.ts#add", "--timout-ms", "5"],
      /^skein: there is no option --timout-ms; did you mean --timeout-ms\?\n$/,
    ],
    [
      ["run", "geo.jobs.ts#add", "--threads", "-5"],
      /^skein: give --threads a whole number from 1 to 1024, not "-5"\n$/,
    ],
    [["run", "geo.jobs.ts#add", "--threads"], /^skein: .*--threads.* --help lists the options\n$/],
  ])("skein %j", async (args, message) => {
    const { code, stdout, stderr } = await skein(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

test("TypeScript that Node cannot strip is one sentence too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skein-cli-"));
  try {
    await writeFile(
      join(folder, "enum.jobs.ts"),
      "enum Shape { Round }\nexport const round = () => Shape.Round;\n",
    );
    const { code, stderr } = await skein(["run", "enum.jobs.ts#round"], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^skein: Node cannot load the job module .* Install tsx .*\n$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("--help and --version print to standard output", async () => {
  expect(await skein(["--help"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("skein run") as string,
  });
  expect(await skein(["run", "--help"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Usage: skein run/) as string,
  });
  expect(await skein(["--version"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) as string,
  });
});

import { describe, expect, it } from "vitest";
import { UsageError } from "../src/command-line.ts";
import { HELP, parseOptions } from "../src/options.ts";
import { parseServeOptions, SERVE_HELP } from "../src/serve/run-serve.ts";

describe("options", () => {
  it("have defaults", () => {
    expect(parseOptions([])).toMatchObject({
      policy: "each",
      chaos: false,
      compare: false,
      json: null,
      html: null,
      log: null,
      verbose: false,
      correlationId: null,
      maxFileBytes: 2_000_000,
      minNodes: 40,
    });
    expect(parseOptions([])!.directory).toMatch(/node_modules$/);
    expect(parseOptions([])!.threads).toBeGreaterThan(0);
  });

  it("are read", () => {
    const args = [
      "src",
      "--threads",
      "0",
      "--policy=yield",
      "--correlation-id",
      "a-1:b/c",
      "--json",
      "-",
      "--min-nodes",
      "7",
    ];
    expect(parseOptions(args)).toMatchObject({
      directory: "src",
      threads: 0,
      policy: "yield",
      correlationId: "a-1:b/c",
      json: "-",
      minNodes: 7,
    });
  });

  it.each([
    [["--threads", "many"], '--threads must be a whole number from 0 to 256, got "many"'],
    [["--threads", "1.5"], '--threads must be a whole number from 0 to 256, got "1.5"'],
    [["--threads", "257"], '--threads must be a whole number from 0 to 256, got "257"'],
    [["--threads", "-1"], '--threads must be a whole number from 0 to 256, got "-1"'],
    [["--max-file-bytes", "-5"], '--max-file-bytes must be a whole number from 1 to 500000000, got "-5"'],
    [["--threads="], '--threads must be a whole number from 0 to 256, got ""'],
    [["--max-file-bytes", "0"], '--max-file-bytes must be a whole number from 1 to 500000000, got "0"'],
    [["--policy", "later"], '--policy must be one of inline, asynchronous, yield, each, got "later"'],
    [["a", "b"], "one directory at most, got 2: a, b"],
    [[""], "the directory is empty"],
    [["--json", ""], "--json needs a file name"],
    [
      ["--correlation-id", "two words"],
      '--correlation-id must be 1 to 128 letters, digits or . : / + = @ _ -, got "two words"',
    ],
    [["--compare", "--threads", "0"], "--compare needs a pool: --threads must be at least 1"],
    [["--compare", "--json", "x.json"], "--compare prints a table only: without --json and --html"],
    [["--chaos", "--threads", "0"], "--chaos needs a pool: --threads must be at least 1"],
    [["--chaos", "--compare"], "--compare runs the scan several times: without --chaos"],
    [["--trace", ""], "--trace needs a file name"],
    [["--trace", "x", "--compare"], "--compare runs the scan several times: without --trace"],
    [["--trace", "x", "--threads", "0"], "--trace needs a pool: --threads must be at least 1"],
    [["--verbose"], "--verbose is about the log: it needs --log <file>"],
  ])("%j are refused", (args, message) => {
    expect(() => parseOptions(args)).toThrow(new UsageError(message));
  });

  it.each([["--fast"], ["--json"], ["--compare=yes"], ["-1"], ["--threads", "--json"]])(
    "%j are refused in one line",
    (...args) => {
      expect(() => parseOptions(args)).toThrow(/^[^\n]+$/);
      expect(() => parseOptions(args)).toThrow(UsageError);
    },
  );

  it("are all explained in the help, in 80 columns", () => {
    for (const name of [
      "threads",
      "policy",
      "compare",
      "json",
      "html",
      "log",
      "verbose",
      "correlation-id",
      "max-file-bytes",
      "min-nodes",
    ]) {
      expect(HELP).toContain(`--${name} `);
    }
    expect(Math.max(...HELP.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(parseOptions(["--help"])).toBeNull();
  });
});

describe("options of serve", () => {
  it("have defaults", () => {
    expect(parseServeOptions([], 8)).toMatchObject({
      port: 8080,
      host: "127.0.0.1",
      root: expect.stringMatching(/node_modules$/),
      data: null,
      policy: "each",
      chaos: false,
    });
  });

  it.each([
    [["--colour"], /unknown option '--colour'/i],
    [["--port", "70000"], /--port must be a whole number from 0 to 65535, got "70000"/],
    [["--threads", "9"], /--threads must be a whole number from 1 to 8, got "9"/],
    [["--policy", "later"], /--policy must be one of inline, asynchronous, yield, each, got "later"/],
    [["--root", ""], /--root is empty/],
    [["dir"], /serve takes no argument: "dir"/],
  ])("%j are refused", (args, message) => {
    expect(() => parseServeOptions(args, 8)).toThrow(UsageError);
    expect(() => parseServeOptions(args, 8)).toThrow(message);
  });

  it("are all explained in the help, in 80 columns", () => {
    for (const name of ["port", "host", "root", "data", "threads", "policy", "chaos"])
      expect(SERVE_HELP).toContain(`--${name} `);
    expect(Math.max(...SERVE_HELP.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(parseServeOptions(["--help"], 8)).toBeNull();
  });
});

/** The command `census serve`, as a process. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../../../../test/support/eventually.ts";
import { UsageError } from "../../src/command-line.ts";
import { parseServeOptions, SERVE_HELP } from "../../src/serve/run-serve.ts";
import type { ScanRecord } from "../../src/serve/scan-record.ts";
import { runCli } from "../run-cli.ts";
import { temporaryTree } from "../temporary-tree.ts";
import { CensusClient } from "./census-client.ts";

const FILES = 60;
const FUNCTIONS = 200;

describe("census serve, the command", () => {
  it("survives being killed in the midst of a scan; a signal ends it in order", async () => {
    const folder = temporaryTree();
    const root = join(folder, "root");
    mkdirSync(root);
    const text = Array.from(
      { length: FUNCTIONS },
      (_, i) => `export const f${i} = (a) => (a > ${i} ? a : ${i});\n`,
    ).join("");
    for (let i = 0; i < FILES; i++) writeFileSync(join(root, `f${i}.js`), text);
    const args = ["serve", "--port", "0", "--root", root, "--data", join(folder, "data"), "--threads", "1"];
    const { next, found, resumed } = await eventually("it is killed before the scan is done", async () => {
      let id = "";
      let found: ScanRecord | undefined;
      let resumed: ScanRecord | undefined;
      await runCli(args, async (child) => {
        id = await new CensusClient(await urlOf(child), "ada").scanInItsMidst(".");
        child.kill("SIGKILL");
      });
      const next = await runCli(args, async (child) => {
        const ada = new CensusClient(await urlOf(child), "ada");
        found = await ada.find(id);
        if (found.state === "interrupted") {
          await ada.ask("POST", `/api/scans/${id}/resume`);
          resumed = await ada.reaches(id, "done");
        }
        child.kill("SIGTERM");
      });
      return resumed === undefined ? null : { next, found, resumed };
    });
    expect(found?.message).toBe("The server ended while this scan was under way. It can be resumed.");
    expect(resumed).toMatchObject({ files: { total: FILES, done: FILES }, functions: FILES * FUNCTIONS });
    expect(next).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^Census is at http.*\nClosing\n$/s),
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

  it("explains its options in 80 columns", () => {
    for (const name of ["port", "host", "root", "data", "threads", "policy", "chaos"])
      expect(SERVE_HELP).toContain(`--${name} `);
    expect(Math.max(...SERVE_HELP.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(parseServeOptions(["--help"], 8)).toBeNull();
  });
});

/** Where it says that it listens. */
function urlOf(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.stdout!.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const [url] = /http:\S+/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once("close", () => reject(new Error(`it ended, and said: ${said}`)));
  });
}

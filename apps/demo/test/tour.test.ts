import { afterAll, expect, it } from "vitest";
import { startRedis } from "../../../test/support/redis-server.ts";
import { SCENES } from "../src/tour/scenes.ts";
import { snippetOf } from "../src/tour/snippet.ts";
import { TerminalStage } from "../src/tour/terminal-stage.ts";
import { runCli } from "./run-cli.ts";

const plain = (_format: unknown, text: string): string => text;

class Recorder {
  text = "";
  readonly isTTY: boolean;
  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

// Quicker to start than an embedded database.
const redis = await startRedis();
const env = redis === null ? {} : { SKEIN_CLUSTER_URL: redis.url };
afterAll(() => redis?.[Symbol.asyncDispose]());

it("every claim of every scene holds, as plain text without a terminal", async () => {
  const { code, stdout, stderr } = await runCli(["tour", "--fast"], undefined, env);
  expect(stdout).not.toContain("✗ ");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).not.toContain("\u001B");
  for (const [index, { title }] of SCENES.entries())
    expect(stdout).toContain(` ${index + 1}/${SCENES.length}  ${title}\n`);
  expect(stdout).toContain(`${SCENES.length} scenes, every claim held.`);
});

it("shows one scene, and says what it cannot", async () => {
  const one = await runCli(["tour", "--fast", "--scene", "1"]);
  expect(one).toMatchObject({ code: 0, stdout: expect.stringContaining("1 scene, every claim held.") });
  for (const [args, message] of [
    [["--scene", "0"], `--scene must be a whole number from 1 to ${SCENES.length}, got "0"`],
    [["--slow"], "unknown option '--slow'"],
    [["src"], "the tour takes no directory, got src"],
  ] as const) {
    expect(await runCli(["tour", ...args])).toEqual({
      code: 2,
      stdout: "",
      stderr: `census: ${message} (census --help explains)\n`,
    });
  }
});

it("every scene shows lines of its own source", () => {
  for (const { code } of SCENES) expect(code.flatMap((file) => snippetOf(file)).length).toBeGreaterThan(0);
  expect(() => snippetOf(import.meta.url)).toThrow("nothing between");
});

it("a claim that does not hold fails the scene, and so does a scene without any", () => {
  const failing = new TerminalStage(new Recorder(false), plain, 80, true);
  failing.check("it holds", true);
  failing.check("it does not", false);
  expect(failing.end()).toBe(false);
  expect(new TerminalStage(new Recorder(false), plain, 80, true).end()).toBe(false);
});

it("draws over the last picture on a terminal, and prints the last one elsewhere", () => {
  const [terminal, pipe] = [new Recorder(true), new Recorder(false)];
  for (const target of [terminal, pipe]) {
    const stage = new TerminalStage(target, plain, 20, true);
    stage.draw(["first", "picture"]);
    stage.draw(["second", "a line that is too long"]);
    stage.check("drawn", true);
    expect(stage.end()).toBe(true);
  }
  expect(pipe.text).toBe("   second\n   a line that is t…\n\n   ✓ drawn\n");
  expect(terminal.text).toContain("\u001B[2A\u001B[2K   second\n\u001B[2K   a line that is t…\n");
});

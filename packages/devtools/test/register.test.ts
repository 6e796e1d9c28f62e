/** `--import @skein/devtools/register`, in programs of its own where it serves. */
import { spawn } from "node:child_process";
import { hasSubscribers } from "node:diagnostics_channel";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { type FeedMessage, readFeed } from "../src/feed.ts";

const packageFolder = join(import.meta.dirname, "..");
const program = `
import { ThreadPool } from "@skein/pool";
const pool = new ThreadPool({ name: "theirs" });
console.log(await pool.run(() => 7));
const told = () => new Promise((resolve) => process.stdin.once("data", resolve));
if (process.argv[1] === "stay") {
  await told();
  await pool.close();
  await told();
}
process.stdin.destroy();
`;

function start(variable: string, stays = false) {
  const env = { ...process.env, SKEIN_DEVTOOLS: variable };
  const args = ["--import", "@skein/devtools/register", "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, stays ? [...args, "stay"] : args, { cwd: packageFolder, env });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return { child, errors: () => errors };
}

/** What it does here, on this thread. */
async function loaded(variable: string | undefined): Promise<{ isWatching: boolean; said: string }> {
  vi.stubEnv("SKEIN_DEVTOOLS", variable);
  vi.resetModules();
  let said = "";
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
  await import("../src/register.ts");
  write.mockRestore();
  vi.unstubAllEnvs();
  return { isWatching: hasSubscribers("skein:pool:open"), said };
}

describe("the flag", () => {
  it.each([undefined, "", "0"])("does nothing while the variable is %j", async (variable) => {
    expect(await loaded(variable)).toEqual({ isWatching: false, said: "" });
  });

  it.each(["on", "-1", "65536"])("says what is wrong with the variable, %s", async (variable) => {
    const sentence = `SKEIN_DEVTOOLS is "${variable}"; set it to 1, or to a port`;
    const said = expect.stringContaining(sentence) as string;
    expect(await loaded(variable)).toEqual({ isWatching: false, said });
  });

  it("keeps no program alive", async () => {
    const { child, errors } = start("1");
    expect(await once(child, "close")).toEqual([0, null]);
    expect(errors()).toContain("http://127.0.0.1:");
  });

  it("opens a window on the pool of the program, says where, and takes it away with the pool", async () => {
    const { child, errors } = start("1", true);
    while (!errors().includes("\n")) await once(child.stderr, "data");
    const [, url] = /^skein devtools: pool "theirs": (http:\/\/127\.0\.0\.1:\d+\/)\n$/.exec(errors())!;
    const feed = readFeed(url!);
    const { value: hello } = await feed.next();
    expect(hello).toMatchObject({ type: "hello", pool: { name: "theirs" }, program: { pid: child.pid } });
    child.stdin.write("close\n");
    let last: FeedMessage | null = null;
    for await (const message of feed) last = message;
    expect(last).toEqual({ type: "closed" });
    await eventually("the server is gone", () =>
      readFeed(url!)
        .next()
        .then(
          () => false,
          ({ code }: { readonly code?: unknown }) => code === "ERR_SKEIN_DEVTOOLS_FEED",
        ),
    );
    child.stdin.write("end\n");
    expect(await once(child, "close")).toEqual([0, null]);
  });
});

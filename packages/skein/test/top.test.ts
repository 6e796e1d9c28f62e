/** `skein top`, on a program of its own and without a terminal. */
import { ThreadPool } from "@skein/pool";
import { serveDevtools } from "@skein/devtools";
import {
  type Batch,
  type FeedMessage,
  readFeed,
  type Slice,
  SLICE_FIELDS,
  sliceAt,
} from "@skein/devtools/feed";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { ReadStream, WriteStream } from "node:tty";
import { describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { TopScreen } from "../src/cli/top/screen.ts";
import { TopView } from "../src/cli/top/view.ts";
import { skein } from "./skein.ts";

function slicesOf({ threads }: Batch): Slice[] {
  return threads.flatMap(({ slices }) =>
    Array.from({ length: slices.length / SLICE_FIELDS }, (_, i) => sliceAt(slices, i * SLICE_FIELDS)),
  );
}

describe("skein top", () => {
  it("prints once what the threads do: lanes, rates, and the slowest jobs", async () => {
    await using pool = new ThreadPool({ name: "orders", maxThreads: 1 });
    await using devtools = await serveDevtools(pool, { port: 0 });
    const ended = skein(["top", devtools.url, "--for-ms", "10000000"]);
    await eventually("it looks", () => devtools.clients === 1);
    const work = setInterval(
      () =>
        void pool.run(
          function price(items: number) {
            return items * 12;
          },
          [2],
        ),
      10,
    );
    // What this viewer is told, the other one is, too.
    const left = new Set<FeedMessage["type"] | Slice["kind"]>(["submit", "run", "settle", "sample"]);
    for await (const message of readFeed(devtools.url)) {
      // The first sample is for the one who comes.
      if (message.type === "batch") for (const { kind } of slicesOf(message)) left.delete(kind);
      else if (left.size === 1) left.delete(message.type);
      if (left.size === 0) break;
    }
    clearInterval(work);
    // It ends before its time.
    await devtools.close();
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([0, ""]);
    const [title, rates, queues] = stdout.split("\n");
    expect(title).toMatch(/^orders · .+ · pid \d+ · Node v/);
    expect(rates).toMatch(/^[\d,]+ jobs\/s · \d of 1 threads busy \(1 to 1\) · wait .+ · run /);
    expect(queues).toMatch(/^queued 0 high, \d+ normal, 0 low, 0 local, 0 placed · completed \d+, failed 0/);
    expect(stdout).toMatch(/\nthread \d+ +.* (?:idle|price .+)\n/);
    expect(stdout).toMatch(/slowest in a minute\n +\S+ \S+ +completed +price/);
  });

  it("ends when it has looked as long as it was told to", async () => {
    await using pool = new ThreadPool({ name: "orders", maxThreads: 1 });
    await using devtools = await serveDevtools(pool, { port: 0 });
    const { code, stdout } = await skein(["top", devtools.url, "--for-ms", "1"]);
    expect([code, stdout.split("\n")[0]]).toEqual([0, expect.stringMatching(/^orders · /)]);
  });

  it("says that a pool has closed whose window is still there", async () => {
    const pool = new ThreadPool({ name: "orders", maxThreads: 1 });
    await using devtools = await serveDevtools(pool, { port: 0 });
    const seen = readFeed(devtools.url);
    await seen.next();
    await pool.close();
    for await (const { type } of seen) if (type === "closed") break;
    expect(await skein(["top", devtools.url])).toEqual({
      code: 1,
      stdout: "",
      stderr: "skein: there is nothing to show: the pool at this address has closed; look while it works\n",
    });
  });

  it("does not wait forever for a program that does not answer", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await skein(["top", `http://127.0.0.1:${port}/`, "--for-ms", "1"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^skein: the program at http:.* does not answer; its main thread is busy, .*\n$/);
    server.close();
  });

  it.each(["127.0.0.1", "localhost"])("says how to start a program when none answers at %s", async (host) => {
    const { code, stderr } = await skein(["top", `http://${host}:1/`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^skein: Nothing answers at http:\/\/[\w.]+:1 \(.*ECONNREFUSED.*\)\. Start the program with `SKEIN_DEVTOOLS=1 node --import @skein\/devtools\/register main\.js`, or .+\n$/,
    );
  });

  it("says what is no address", async () => {
    expect(await skein(["top", "9339"])).toMatchObject({
      code: 2,
      stderr: 'skein: give the address that the program prints, as http://127.0.0.1:9339/, not "9339"\n',
    });
  });

  it("writes names without what a terminal would take for commands", () => {
    const view = new TopView();
    const program = { title: "a\u009b2J", pid: 1, node: "v24" };
    view.apply({ type: "hello", pool: { name: "\u001b]0;x\u0007" }, program, functions: [] } as never);
    expect(view.lines(80, 1)).toEqual(["\uFFFD]0;x\uFFFD · a\uFFFD2J · pid 1 · Node v24"]);
  });

  it("draws on a terminal that does not say how large it is as on one of 80 columns and 24 rows", () => {
    let asked: number[] = [];
    const output = { columns: 0, rows: 0, write() {}, on() {}, off() {} } as unknown as WriteStream;
    const input = { isTTY: false } as ReadStream;
    using _ = new TopScreen(input, output, (columns, rows) => {
      asked = [columns, rows];
      return [];
    });
    // Also before anything is known: the program may take its time to answer.
    expect(asked).toEqual([80, 23]);
  });

  it("never writes more than there is room for", () => {
    const view = new TopView();
    expect(view.lines(20, 3)).toEqual(["connecting", "", "queued 0 high, 0 no…"]);
  });
});

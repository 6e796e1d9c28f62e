/** Census over HTTP, with real threads and a real database. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../../../test/support/eventually.ts";
import { takeCensus, wordsOf } from "../../src/census.ts";
import { marksFor } from "../../src/duplicates.ts";
import { openDirectEngine } from "../../src/engine.ts";
import { DEFAULT_ANALYSIS } from "../../src/file-report.ts";
import { digestOf } from "../../src/json.ts";
import { markRepeats } from "../../src/repeats.jobs.ts";
import { scan } from "../../src/scan.ts";
import { openCensusServer } from "../../src/serve/census-server.ts";
import type { CensusServer } from "../../src/serve/census-server.ts";
import { EventHub } from "../../src/serve/event-hub.ts";
import type { ScanRecord } from "../../src/serve/scan-record.ts";
import { ScanStore } from "../../src/serve/scan-store.ts";
import { walk } from "../../src/walk.ts";
import { runCli } from "../run-cli.ts";
import { folderFor } from "../temporary-tree.ts";
import { tarOf, zipOf } from "./archives.ts";
import { CensusClient } from "./census-client.ts";
import { LOCAL } from "./local-server.ts";

/** More than a scan has under way, 8 for each core, so that others have their turn meanwhile. */
const LARGE_FILES = 44 + 8 * availableParallelism();
const SMALL_FILES = 5;

describe("census serve", () => {
  const folder = folderFor(afterAll);
  const root = join(folder, "root");
  const data = join(folder, "data");
  let server: CensusServer;
  let ada: CensusClient;
  let bob: CensusClient;
  /** Of an undisturbed census of `large`, without any pool. */
  let largeDigest = "";

  beforeAll(async () => {
    const body = Array.from({ length: 90 }, (_, i) => `  if (a > ${i}) b += a * ${i};\n`).join("");
    write("large", LARGE_FILES, (i) => `export function f${i}(a, b) {\n${body}  return b;\n}\n`);
    write("small", SMALL_FILES, (i) => `export const g${i} = (a) => (a ? a : ${i});\n`);
    writeFileSync(join(root, "small", "broken.js"), "export const = ;\n");
    largeDigest = await digestWithoutServer(join(root, "large"));
    await start();
  });
  afterAll(async () => {
    await server.close();
  });

  function write(name: string, files: number, text: (i: number) => string): void {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, "package.json"), JSON.stringify({ name: `@test/${name}` }));
    for (let i = 0; i < files; i++) writeFileSync(join(root, name, `f${i}.js`), text(i));
  }

  async function start(): Promise<void> {
    server = await openCensusServer({ ...LOCAL, root, data, chaos: true });
    ada = new CensusClient(server.url, "ada-1");
    bob = new CensusClient(server.url, "bob-2");
  }

  it("scans for two people at once: the small one is not kept waiting, and each line of the log is of one of them", async () => {
    const ended: string[] = [];
    const events = await readEvents(server.url, (event, { id, state }) => {
      if (event === "scan" && state === "done") ended.push(String(id));
    });
    const large = await ada.scan("large");
    const small = await bob.scan("small");
    expect(await bob.reaches(small, "done")).toMatchObject({
      correlationId: "bob-2",
      source: { kind: "path", name: "small" },
      files: { total: SMALL_FILES + 1, done: SMALL_FILES + 1 },
      functions: SMALL_FILES,
      errors: 1,
    });
    expect(await ada.reaches(large, "done")).toMatchObject({ correlationId: "ada-1", digest: largeDigest });
    await eventually("both ends are told", () => ended.includes(large) && ended.includes(small));
    expect(ended.indexOf(small)).toBeLessThan(ended.indexOf(large));
    expect(events()).toContain("settings");
    for (const event of ["loop", "threads"])
      await eventually(`${event} is told`, () => events().includes(event));

    for (const [person, id] of [
      ["ada-1", large],
      ["bob-2", small],
    ] as const) {
      const { body } = await ada.ask("GET", `/api/log?correlationId=${person}`);
      const lines = body.lines as Record<string, unknown>[];
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        expect(line).toMatchObject({ correlationId: person, "census.scan": id });
        expect(line["census.file"]).toMatch(new RegExp(`^${id}/\\d{6}$`));
        expect(line["threadId"]).toBeGreaterThan(0);
      }
    }
    const { scans } = (await ada.ask("GET", "/api/scans?correlationId=bob-2")).body as {
      scans: ScanRecord[];
    };
    expect(scans.map(({ id }) => id)).toEqual([small]);
  });

  it("pages, filters and sorts what it found, with whatever text", async () => {
    const id = await bob.scan("small");
    await bob.reaches(id, "done");
    const rows = async (path: string): Promise<{ rows: Record<string, unknown>[]; total: number }> =>
      (await bob.ask("GET", `/api/scans/${id}/${path}`)).body;
    expect(await rows("files?limit=2&offset=1&sort=path&order=asc")).toMatchObject({
      total: SMALL_FILES + 1,
      rows: [
        {
          path: "f0.js",
          package: "@test/small",
          lines: 1,
          functions: 1,
          meanComplexity: 2,
          fileId: `${id}/000002`,
        },
        { path: "f1.js" },
      ],
    });
    expect(await rows("functions?text=G3")).toMatchObject({
      total: 1,
      rows: [{ name: "g3", path: "f3.js", line: 1 }],
    });
    expect(await rows("syntax-errors")).toMatchObject({ total: 1, rows: [{ path: "broken.js", line: 1 }] });
    for (const text of ["%", "_", "' OR 1=1 --", "\\"])
      expect(await rows(`files?text=${encodeURIComponent(text)}`)).toEqual({ rows: [], total: 0 });
    expect(await rows("files?package=@test/large")).toEqual({ rows: [], total: 0 });
    const wrong = await bob.ask("GET", `/api/scans/${id}/files?sort=lines;DROP TABLE files`);
    expect(wrong).toMatchObject({ status: 400, body: { error: { code: "ERR_CENSUS_REQUEST" } } });
    expect(await rows("tree")).toEqual({
      packages: [{ name: "@test/small", lines: 6, files: 6, functions: 5, meanComplexity: 2 }],
    });
  });

  it("changes policy and threads while it scans, and tells everybody", async () => {
    const told: unknown[] = [];
    await readEvents(server.url, (event, settings) => event === "settings" && told.push(settings));
    const id = await ada.scanInItsMidst("large");
    const settings = { policy: "inline", threads: 2 };
    expect(await bob.ask("PUT", "/api/settings", settings)).toMatchObject({ status: 200, body: settings });
    expect(await ada.reaches(id, "done")).toMatchObject({ digest: largeDigest });
    expect((await ada.ask("GET", "/api/settings")).body).toEqual(settings);
    await eventually("it is told", () => told.length === 2);
    expect(told).toEqual([{ policy: "each", threads: 1 }, settings]);
    await ada.ask("PUT", "/api/settings", { policy: "yield", threads: 1 });
  });

  it("cancels a scan, with what was found; goes on with it; deletes it, and all that is stored", async () => {
    const id = await eventually("a scan is cancelled before it is done", async () => {
      const begun = await ada.scanInItsMidst("large");
      await bob.ask("POST", `/api/scans/${begun}/cancel`);
      return (await ada.find(begun)).state === "cancelled" ? begun : null;
    });
    const { files, endedAt } = await ada.find(id);
    expect(endedAt).toEqual(expect.any(String));
    expect((await ada.ask("GET", `/api/scans/${id}/files`)).body).toMatchObject({ total: files.done });
    expect((await bob.ask("POST", `/api/scans/${id}/cancel`)).status).toBe(409);
    expect((await ada.ask("POST", `/api/scans/${id}/resume`)).status).toBe(200);
    expect(await ada.reaches(id, "done")).toMatchObject({
      digest: largeDigest,
      files: { total: LARGE_FILES, done: LARGE_FILES },
    });
    expect((await ada.ask("POST", `/api/scans/${id}/resume`)).status).toBe(409);
    const running = await ada.scanInItsMidst("large");
    for (const gone of [id, running]) {
      expect((await ada.ask("DELETE", `/api/scans/${gone}`)).status).toBe(204);
      expect((await ada.ask("GET", `/api/scans/${gone}`)).status).toBe(404);
    }
    const database = new DatabaseSync(join(data, "census.db"), { readOnly: true });
    for (const table of ["reports", "files", "functions", "syntax_errors"])
      expect(
        database.prepare(`SELECT count(*) AS n FROM ${table} WHERE scan IN (?, ?)`).get(id, running),
      ).toMatchObject({ n: 0 });
    database.close();
  });

  it("comes to the same result when threads are killed, the one that makes the digest too", async () => {
    const id = await ada.scanInItsMidst("large");
    const kill = async (): Promise<void> =>
      expect(await bob.ask("POST", "/api/chaos")).toMatchObject({
        status: 200,
        body: { threadId: expect.any(Number) },
      });
    await kill();
    await eventually("all files are done", async () => {
      const { files } = await ada.find(id);
      return files.done === files.total;
    });
    await kill();
    expect(await ada.reaches(id, "done")).toMatchObject({ digest: largeDigest });
  });

  it("can be resumed when its end could not be stored", async () => {
    const database = new DatabaseSync(join(data, "census.db"));
    onTestFinished(() => database.close());
    database.exec(
      "CREATE TRIGGER full BEFORE UPDATE ON scans WHEN NEW.state = 'done' BEGIN SELECT RAISE(ABORT, 'no room'); END",
    );
    const id = await ada.scan("small");
    expect((await ada.reaches(id, "interrupted")).message).toMatch(/could not be stored.*can be resumed\.$/);
    database.exec("DROP TRIGGER full");
    expect((await ada.ask("POST", `/api/scans/${id}/resume`)).status).toBe(200);
    expect(await ada.reaches(id, "done")).toMatchObject({ digest: expect.any(String) });
  });

  it("is told after a restart which scan was interrupted, and goes on with what is stored", async () => {
    const crashed = join(folder, "crashed");
    const id = await eventually("a scan is interrupted before it is done", async () => {
      const begun = await ada.scanInItsMidst("large");
      // What a machine that fails now would leave.
      cpSync(data, crashed, { recursive: true });
      const interrupted = await server.close();
      await start();
      return interrupted === 1 ? begun : null;
    });
    const left = new ScanStore(join(crashed, "census.db"));
    expect(left.find(id)).toMatchObject({
      state: "interrupted",
      message: "The server ended while this scan was under way. It can be resumed.",
      files: { done: left.storedPositions(id).size },
    });
    left.close();
    const { state, message, files } = await bob.find(id);
    expect({ state, message }).toEqual({
      state: "interrupted",
      message: expect.stringMatching(/can be resumed\.$/),
    });
    expect(files.done).toBeGreaterThan(0);
    expect(await bob.ask("POST", `/api/scans/${id}/resume`)).toMatchObject({
      status: 200,
      body: { correlationId: "ada-1", files },
    });
    // Had a stored file been parsed again, there would be more of them than there are.
    expect(await ada.reaches(id, "done")).toMatchObject({
      digest: largeDigest,
      files: { total: LARGE_FILES, done: LARGE_FILES },
    });
    expect((await ada.ask("GET", `/api/scans/${id}/files`)).body).toMatchObject({ total: LARGE_FILES });
    expect((await ada.ask("GET", "/api/scans")).body.scans.length).toBeGreaterThan(1);
  });

  it("is a command that says where it is, and ends with a signal", async () => {
    const args = ["serve", "--port", "0", "--root", root, "--data", join(folder, "other")];
    const ended = await runCli(args, async (child) => {
      const url = await new Promise<string>((resolve, reject) => {
        let said = "";
        child.stdout!.on("data", (chunk: Buffer) => {
          said += chunk.toString();
          const [found] = /http:\S+/.exec(said) ?? [];
          if (found !== undefined) resolve(found);
        });
        child.once("close", () => reject(new Error(`it ended, and said: ${said}`)));
      });
      expect((await new CensusClient(url, "eve").ask("GET", "/api/scans")).body).toEqual({ scans: [] });
      child.kill("SIGTERM");
    });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toMatch(/^Census is at http.*\nClosing\n$/s);
  });

  it.each(["zip", "tar", "tar.gz"])(
    "takes a %s, and has its files no longer than it needs them",
    async (kind) => {
      const files = [
        { name: "./b/a.js", data: "export const f = (a) => a && a.b;\n" },
        { name: "b/c.ts", data: "let x: number = 1;\n" },
        { name: "b/readme.txt", data: "none of these" },
      ];
      const tar = await tarOf({ name: "b/", type: "directory" }, ...files);
      const archive =
        kind === "zip"
          ? zipOf({ name: "b/", mode: 0o40755 }, ...files)
          : kind === "tar"
            ? tar
            : gzipSync(tar);
      const { status, body } = await ada.ask("POST", `/api/scans/upload?name=my.${kind}`, archive);
      expect({ status, body }).toMatchObject({
        status: 202,
        body: { source: { kind: "upload", name: `my.${kind}` } },
      });
      const id = body.id as string;
      expect(await ada.reaches(id, "done")).toMatchObject({ files: { total: 2 }, functions: 1 });
      expect((await ada.ask("GET", `/api/scans/${id}/tree`)).body.packages).toMatchObject([
        { name: `my.${kind}` },
      ]);
      await eventually("its files are deleted", () => readdirSync(join(data, "uploads")).length === 0);
    },
  );

  it("drops a reader of its events that does not read", async () => {
    const hub = new EventHub(
      {
        scans: () => [],
        settings: () => ({ policy: "each", threads: 1 }),
        threads: () => ({ total: 0, running: 0, queued: 0 }),
      },
      1 << 16,
    );
    let late = 0;
    const plain = createServer(({ url }, response) => {
      if (url === "/") hub.add(response);
      else {
        // Its connection ends before it is added.
        response.once("close", () => {
          hub.add(response);
          late++;
        });
        response.destroy();
      }
    });
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      hub.close();
      plain.closeAllConnections();
      plain.close();
    });
    const socket = connect((plain.address() as AddressInfo).port, "127.0.0.1").pause();
    onTestFinished(() => void socket.destroy());
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await eventually("it is a reader", () => hub.readers === 1);
    const record = { id: "x", message: "x".repeat(100_000) } as unknown as ScanRecord;
    await eventually("it is dropped", () => {
      hub.changed(record);
      return hub.readers === 0;
    });
    expect(socket.bytesRead).toBe(0);
    await expect(
      fetch(`http://127.0.0.1:${(plain.address() as AddressInfo).port}/late`),
    ).rejects.toBeInstanceOf(TypeError);
    await eventually("the late one is added", () => late === 1);
    expect(hub.readers).toBe(0);
  });

  it("waits for scans under way when it closes, if it may; refuses new ones; another server cannot have its folder", async () => {
    await expect(openCensusServer({ ...LOCAL, root, data })).rejects.toThrow(
      /another server has .* give this one another --data/,
    );
    const { id, refused } = await eventually("it waits", async () => {
      const begun = await ada.scanInItsMidst("large");
      const closed = server.close(600_000);
      const answer = await bob.ask("POST", "/api/scans", { path: "small" }).catch(() => null);
      expect(await closed).toBe(0);
      if (answer === null) await start();
      return answer === null ? null : { id: begun, refused: answer };
    });
    expect(refused).toMatchObject({ status: 503, body: { error: { code: "ERR_CENSUS_CLOSING" } } });
    const database = new DatabaseSync(join(data, "census.db"), { readOnly: true });
    const stored = database.prepare("SELECT state, digest FROM scans WHERE id = ?").get(id);
    database.close();
    expect(stored).toMatchObject({ state: "done", digest: largeDigest });
  });
});

async function digestWithoutServer(directory: string): Promise<string> {
  const { signal } = new AbortController();
  const tree = await walk(directory, signal);
  const { reports } = await scan(tree, openDirectEngine(), {
    correlationId: "none",
    analysis: { ...DEFAULT_ANALYSIS, logFile: null, verbose: false },
    signal,
    policy: "asynchronous",
  });
  const words = wordsOf(reports);
  const marks = marksFor(words);
  markRepeats(words, marks);
  return digestOf(takeCensus(tree, reports, DEFAULT_ANALYSIS, marks));
}

/** Reads the server's events until the test is over. @returns the kinds of those that have come, once it is connected */
async function readEvents(
  url: string,
  onEvent: (event: string, data: Record<string, unknown>) => unknown,
): Promise<() => string[]> {
  const kinds: string[] = [];
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const response = await fetch(new URL("/api/events", url), { signal: end.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  void (async () => {
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const events = (text + chunk).split("\n\n");
      text = events.pop()!;
      for (const event of events) {
        const [, kind, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? [];
        if (kind === undefined) continue;
        kinds.push(kind);
        onEvent(kind, JSON.parse(data!) as Record<string, unknown>);
      }
    }
  })().catch(() => {});
  return () => kinds;
}

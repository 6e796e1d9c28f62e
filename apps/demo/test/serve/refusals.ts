/** What Census refuses, with a sentence, and leaves nothing of. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../../../test/support/eventually.ts";
import { randomFrom } from "../../../../test/support/random.ts";
import { unpackArchive } from "../../src/serve/archive/unpack.ts";
import type { CensusError } from "../../src/serve/census-error.ts";
import { openCensusServer } from "../../src/serve/census-server.ts";
import type { CensusServer } from "../../src/serve/census-server.ts";
import { folderFor } from "../temporary-tree.ts";
import { tarOf, zipOf } from "./archives.ts";
import { CensusClient } from "./census-client.ts";
import { LOCAL } from "./local-server.ts";

const LIMITS = {
  packedBytes: 100_000,
  unpackedBytes: 3_000_000,
  ratio: 100,
  ratioFromBytes: 1_000_000,
  entries: 20,
};
const DAMAGED = 60;
const source = { name: "a.js", data: "f();\n" };
const noise = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255));

describe("refusals", () => {
  const folder = folderFor(afterAll);
  const root = join(folder, "root");
  const data = join(folder, "data");
  let server: CensusServer;
  let ada: CensusClient;

  beforeAll(async () => {
    mkdirSync(join(root, "inside"), { recursive: true });
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(root, "file.js"), "");
    symlinkSync(join(folder, "outside"), join(root, "link"));
    symlinkSync(join(root, "inside"), join(root, "alias"));
    server = await openCensusServer({ ...LOCAL, root, data, archives: LIMITS });
    ada = new CensusClient(server.url, "ada");
  });
  afterAll(async () => {
    await server.close();
  });

  function nothingIsLeft(): Promise<unknown> {
    // Its answer may come before the rest of it is gone.
    return eventually("nothing is left on disk", () => readdirSync(join(data, "uploads")).length === 0);
  }

  const tar = (type: "symlink" | "link" | "character-device" | "fifo") => (): Promise<Buffer> =>
    tarOf(source, { name: "b.js", type, linkname: "/etc/passwd" });
  const archives: Record<string, [() => Buffer | Promise<Buffer>, string, RegExp]> = {
    "no archive": [() => Buffer.from("hello"), "TYPE", /no zip, tar or tar\.gz/],
    nothing: [() => Buffer.alloc(0), "TYPE", /no zip/],
    "a zip without source": [() => zipOf({ name: "a.txt" }), "EMPTY", /no JavaScript or TypeScript file/],
    "an empty zip": [() => zipOf(), "EMPTY", /no JavaScript/],
    "a tar without source": [() => tarOf({ name: "a/", type: "directory" }), "EMPTY", /no JavaScript/],
    "a zip bomb": [
      () => zipOf(source, { name: "b.txt", data: Buffer.alloc(2_000_000) }),
      "BOMB",
      /100 times as large as packed/,
    ],
    "a zip that is too large unpacked": [
      () => zipOf(source, { name: "b.js", size: 3_000_001, data: "x" }),
      "BOMB",
      /more than 3 MB/,
    ],
    "a zip whose entry is larger than it says": [
      () => zipOf({ name: "a.js", data: Buffer.alloc(500_000, 32), size: 10 }),
      "BROKEN",
      /too many bytes/,
    ],
    "too many entries": [
      () => zipOf(...Array.from({ length: 21 }, (_, i) => ({ name: `${i}.js` }))),
      "BOMB",
      /more than 20 entries/,
    ],
    "a tar.gz bomb": [
      async () => gzipSync(await tarOf(source, { name: "b.txt", data: Buffer.alloc(2_000_000) })),
      "BOMB",
      /100 times/,
    ],
    "a tar.gz bomb behind its end": [
      async () => gzipSync(Buffer.concat([await tarOf(source), Buffer.alloc(2_000_000)])),
      "BOMB",
      /100 times/,
    ],
    "a zip that leads out": [() => zipOf({ name: "a/../../b.js" }), "PATH", /leads out/],
    "a zip with an absolute path": [() => zipOf({ name: "/etc/b.js" }), "PATH", /absolute/],
    "a zip with a drive": [() => zipOf({ name: "C:b.js" }), "PATH", /absolute/],
    "a zip with a backslash": [() => zipOf({ name: "..\\b.js" }), "PATH", /backslash/],
    "a zip with a NUL": [() => zipOf({ name: "b.js\0.txt" }), "PATH", /control characters/],
    "a zip with a deep path": [() => zipOf({ name: `${"a/".repeat(70)}b.js` }), "PATH", /too long a path/],
    "a tar that leads out": [() => tarOf({ name: "../b.js", data: "" }), "PATH", /leads out/],
    "a tar with an absolute path": [() => tarOf({ name: "/tmp/b.js", data: "" }), "PATH", /absolute/],
    "a zip with a link": [
      () => zipOf(source, { name: "b.js", data: "/etc/passwd", mode: 0o120777 }),
      "LINK",
      /link/,
    ],
    "a tar with a symbolic link": [tar("symlink"), "LINK", /link/],
    "a tar with a hard link": [tar("link"), "LINK", /link/],
    "a tar with a device": [tar("character-device"), "LINK", /device/],
    "a tar with a pipe": [tar("fifo"), "LINK", /device/],
    "an encrypted zip": [() => zipOf({ ...source, flags: 1 }), "ENCRYPTED", /"a\.js" is encrypted/],
    "two entries of one name": [
      () => zipOf(source, source),
      "BROKEN",
      /two of its entries are called "a\.js"/,
    ],
    "a file that is a folder too": [
      () => zipOf(source, { name: "a.js/b.js" }),
      "BROKEN",
      /two of its entries/,
    ],
    "a wrong checksum": [() => zipOf({ ...source, crc: 1 }), "BROKEN", /a checksum is wrong/],
    "half a zip": [() => half(zipOf({ name: "a.js", data: noise })), "BROKEN", /broken or incomplete/],
    "half a tar": [
      async () => half(await tarOf({ name: "a.js", data: noise })),
      "BROKEN",
      /its end is missing/,
    ],
    "half a tar.gz": [
      async () => half(gzipSync(await tarOf({ name: "a.js", data: noise }))),
      "BROKEN",
      /unexpected end of file/,
    ],
    "a gzip of something else": [() => gzipSync(noise), "BROKEN", /broken or incomplete/],
  };

  it.each(Object.entries(archives))("%s", async (_, [make, code, message]) => {
    const { status, body } = await ada.ask("POST", "/api/scans/upload?name=x", await make());
    expect(body.error).toEqual({
      code: `ERR_CENSUS_ARCHIVE_${code}`,
      message: expect.stringMatching(message),
    });
    expect(body.error.message).toMatch(/^[A-Z][^\n]*\.$/);
    expect(status).toBe(code === "TYPE" ? 415 : 422);
    await nothingIsLeft();
    expect((await ada.ask("GET", "/api/scans")).body).toEqual({ scans: [] });
  });

  it("archives with random damage: taken or refused, and nothing else happens", async () => {
    const random = randomFrom(20);
    const files = [
      source,
      { name: "b/c.ts", data: "let x = 1;\n".repeat(90) },
      { name: "b/d.txt", data: "d" },
    ];
    const tar = await tarOf({ name: "b/", type: "directory" }, ...files);
    const good = [zipOf(...files), tar, gzipSync(tar)];
    const { signal } = new AbortController();
    const refused: string[] = [];
    for (let i = 0; i < DAMAGED; i++) {
      const bytes = Buffer.from(good[i % good.length]!);
      for (let damage = 0; damage <= i % 4; damage++)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      const target = join(folder, `damaged-${i}`);
      mkdirSync(join(target, "files"), { recursive: true });
      writeFileSync(join(target, "archive"), i % 5 === 0 ? half(bytes) : bytes);
      try {
        await unpackArchive(join(target, "archive"), join(target, "files"), LIMITS, signal);
      } catch (error) {
        refused.push((error as CensusError).code);
      }
    }
    expect(refused.length).toBeGreaterThan(DAMAGED / 2);
    expect(refused.filter((code) => !code.startsWith("ERR_CENSUS_ARCHIVE_"))).toEqual([]);
  });

  it.each([
    ["..", /no such folder below/],
    ["inside/../../outside", /no such folder below/],
    ["/etc", /relative to the root/],
    ["C:", /relative to the root/],
    ["a\\b", /relative to the root/],
    ["a\0b", /no path/],
    ["link", /no such folder below/],
    ["missing", /no such folder below/],
    ["file.js", /This is a file/],
  ])("the path %j", async (path, message) => {
    const { status, body } = await ada.ask("POST", "/api/scans", { path });
    expect({ status, ...body.error }).toEqual({
      status: 400,
      code: "ERR_CENSUS_PATH",
      message: expect.stringMatching(message),
    });
  });

  it("a link is taken for where it leads, if that is below the root", async () => {
    const id = await ada.scan("alias");
    expect(await ada.reaches(id, "done")).toMatchObject({ source: { name: "inside" }, files: { total: 0 } });
    expect((await ada.ask("DELETE", `/api/scans/${id}`)).status).toBe(204);
  });

  it("a body of 1 GB, at the door: what says so, what asks first, and what does not say", async () => {
    const head = (line: string): string =>
      `POST /api/scans/upload HTTP/1.1\r\nhost: localhost\r\n${line}\r\ncontent-type: application/zip\r\n\r\n`;
    for (const more of ["content-length: 1000000000", "content-length: 1000000000\r\nexpect: 100-continue"]) {
      const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
      socket.write(head(more));
      // It ends: the connection is closed.
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain('"The archive is larger than 100 kB, which is the limit."');
    }
    const sent = httpRequest(new URL("/api/scans/upload", server.url), { method: "POST" });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      sent.on("response", (response) => resolve(response.resume().statusCode));
      // Once it is answered, the server may hang up before it has taken all of it.
      sent.on("error", reject);
    });
    // A little more than is taken.
    for (let i = 0; i < 3; i++) sent.write(Buffer.alloc(34_000));
    expect(await answered).toBe(413);
    sent.destroy();
    await nothingIsLeft();
  });

  it("a connection that ends in the midst of an upload leaves nothing", async () => {
    const sent = httpRequest(new URL("/api/scans/upload", server.url), { method: "POST" });
    sent.on("error", () => {});
    sent.write(Buffer.alloc(1000));
    await eventually("the upload has begun", () => readdirSync(join(data, "uploads")).length > 0);
    sent.destroy();
    await nothingIsLeft();
    expect((await ada.ask("GET", "/api/scans")).body).toEqual({ scans: [] });
  });

  it("pages of other origins, and names that are not ours", async () => {
    const forbidden = { status: 403, body: { error: { code: "ERR_CENSUS_FORBIDDEN" } } };
    const post = (headers: Record<string, string>): Promise<unknown> =>
      ada.ask("POST", "/api/scans", { path: "." }, headers);
    expect(await post({ origin: "http://evil.example" })).toMatchObject(forbidden);
    expect(await post({ origin: "null" })).toMatchObject(forbidden);
    // fetch does not let anybody say who the host is.
    const rebound = await new Promise<number | undefined>((resolve) => {
      httpRequest(new URL("/api/scans", server.url), { headers: { host: "evil.example" } })
        .on("response", (response) => resolve(response.resume().statusCode))
        .end();
    });
    expect(rebound).toBe(403);
    expect((await ada.ask("POST", "/api/scans", undefined, { "content-type": "text/plain" })).status).toBe(
      400,
    );
    const ours = await post({ origin: new URL(server.url).origin });
    expect(ours).toMatchObject({ status: 202 });
  });

  it.each([
    ["GET", "/api/scans?limit=201", 400, /"limit" must be a whole number from 1 to 200/],
    ["GET", "/api/scans?limit=1&limit=2", 400, /"limit" comes more than once/],
    ["GET", "/api/scans?Limit=1", 400, /no parameter "Limit"/],
    ["GET", "/api/scans/nobody", 404, /no such scan/],
    ["GET", "/api/scans/nobody/files", 404, /no such scan/],
    ["GET", "/api/nothing", 404, /nothing here/],
    ["POST", "/api/chaos", 404, /nothing here/],
    ["GET", "/assets/../package.json", 404, /nothing here/],
    ["PUT", "/api/settings", 400, /"policy" must be one of/],
    ["POST", "/api/scans", 400, /folder's path/],
  ])("%s %s", async (method, path, status, message) => {
    const answer = await ada.ask(method, path);
    expect(answer).toMatchObject({ status, body: { error: { message: expect.stringMatching(message) } } });
    expect(answer.headers.get("x-correlation-id")).toBe("ada");
  });

  it.each([
    [
      { policy: "later", threads: 1 },
      /"policy" must be one of inline, asynchronous, yield, each, not "later"/,
    ],
    [{ policy: "each", threads: 0 }, /"threads" must be a whole number from 1 to \d+, not 0/],
    [{ policy: "each" }, /"threads" must be .*, not missing/],
    [{ policy: "each", threads: 1, colour: 2 }, /no setting "colour"/],
  ])("settings %j", async (settings, message) => {
    expect(await ada.ask("PUT", "/api/settings", settings)).toMatchObject({
      status: 400,
      body: { error: { code: "ERR_CENSUS_REQUEST", message: expect.stringMatching(message) } },
    });
  });
});

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length >> 1);
}

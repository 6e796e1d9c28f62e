/** The page in a real browser, on a real pool: what people do with it, and what happens to it. One of each for all tests, in their order. */
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { correlationId } from "@skein/context/http";
import { ThreadPool } from "@skein/pool";
import type { Browser, Page } from "playwright-core";
import { assertTrace } from "../../pool/test/trace/chrome-trace.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { violations } from "../../../test/support/accessibility.ts";
import { startChromium } from "../../../test/support/chromium.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";
import type { DevtoolsOptions } from "../src/server/options.ts";
import { type Devtools, serveDevtools } from "../src/server/serve-devtools.ts";
import { FEED_VERSION } from "../src/wire.ts";
import type * as Orders from "./fixtures/orders.jobs.ts";

const LIMIT = timeLimit(20_000);
const DESKTOP = { width: 1280, height: 900 };

// A name that points here, as somebody else's may.
const browser: Browser | null = await startChromium(["--host-resolver-rules=MAP attacker.test 127.0.0.1"]);
const open: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of open.toReversed()) await close();
  await browser?.close();
});

interface Scene {
  readonly pool: ThreadPool;
  readonly orders: ReturnType<typeof ThreadPool.prototype.module<typeof Orders>>;
  readonly devtools: Devtools;
  readonly page: Page;
  /** What went wrong in the page. */
  readonly complaints: string[];
}

async function scene(
  threads = 1,
  options: DevtoolsOptions = {},
  colorScheme: "light" | "dark" = "light",
): Promise<Scene> {
  const pool = new ThreadPool({ name: "orders", minThreads: threads, maxThreads: threads });
  open.push(() => pool.close({ drain: false }));
  const devtools = await serveDevtools(pool, { port: 0, ...options });
  open.push(() => devtools.close());
  const { page, complaints } = await visit(devtools.url, colorScheme);
  await status(page, "Live");
  const orders = pool.module<typeof Orders>(new URL("fixtures/orders.jobs.ts", import.meta.url));
  return { pool, orders, devtools, page, complaints };
}

async function visit(
  url: string,
  colorScheme: "light" | "dark" = "light",
): Promise<Pick<Scene, "page" | "complaints">> {
  const page = await browser!.newPage({ colorScheme, viewport: DESKTOP });
  page.setDefaultTimeout(LIMIT);
  open.push(() => page.close());
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** An empty page of somebody else's, by any name. */
async function somePage(): Promise<AddressInfo> {
  const other = createServer((_, response) => response.end("<!doctype html><title>other</title>"));
  other.listen(0, "127.0.0.1");
  open.push(() => new Promise((resolve) => other.close(resolve)));
  await once(other, "listening");
  return other.address() as AddressInfo;
}

/** Whether the page can show the window in a frame; a browser says so if it may not. */
async function isFramed(page: Page, { url }: Devtools): Promise<boolean> {
  const refused = page
    .waitForEvent("console", { predicate: (message) => message.text().includes("frame-ancestors") })
    .then(() => false);
  await page.evaluate((src) => {
    document.body.append(Object.assign(document.createElement("iframe"), { src }));
  }, url);
  const shown = page.frameLocator("iframe").getByText("Live", { exact: true }).waitFor();
  return await Promise.race([refused, shown.then(() => true)]);
}

async function status(page: Page, text: string): Promise<void> {
  await page.getByRole("status").filter({ hasText: text }).waitFor();
}

async function find(page: Page, text: string): Promise<void> {
  await page.getByRole("searchbox").fill(text);
}

describe.runIf(browser !== null)("the page", { timeout: timeLimit(60_000) }, () => {
  let shared: Scene;
  beforeAll(async () => {
    shared = await scene(1, { controls: true });
  });

  it("shows a thread that dies while it is watched, and whose job it was", async () => {
    const { orders, page } = shared;
    await orders.price(1);
    await expect(orders.leave(7)).rejects.toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
    await page.getByRole("tab", { name: "Failed 1" }).click();
    await page
      .getByRole("row")
      .filter({ hasText: "leave" })
      .getByText("crashed: ThreadCrashedError")
      .waitFor();
    await page.getByRole("button", { name: /^leave/ }).click();
    const panel = page.getByRole("region", { name: "Chosen job" });
    await panel.getByText("Submitted from").waitFor();
    await panel.getByText(/page\.test\.ts/).waitFor();
    await page.getByRole("tab", { name: "Functions" }).click();
    await page.getByRole("row").filter({ hasText: "price" }).waitFor();
    await page.getByRole("tab", { name: "Threads" }).click();
    await page.getByRole("cell", { name: "crashed (7)" }).waitFor();
    await orders.price(1);
    await page.getByRole("cell", { name: "idle" }).first().waitFor();
  });

  it("finds a request's jobs over all hops, and says why one waits", async () => {
    const { pool, orders, page, complaints } = shared;
    await correlationId.run("request-41", () => orders.report(2));
    await find(page, "request-41");
    await page.getByRole("cell", { name: "completed" }).nth(2).waitFor();
    const found = page.getByRole("tabpanel", { name: /^Found/ });
    expect((await found.getByRole("button").allTextContents()).map((text) => text.split(" ")[0])).toEqual([
      "report",
      "price",
      "price",
    ]);
    await found.getByRole("button", { name: "report" }).click();
    const panel = page.getByRole("region", { name: "Chosen job" });
    await panel.getByText("Jobs that it has submitted (2)").waitFor();
    await panel.getByRole("button", { name: "request-41" }).waitFor();

    const gate = new Int32Array(new SharedArrayBuffer(8));
    const holding = orders.hold(gate);
    const waiting = pool.run(orders.price, [1], { priority: "low" });
    await find(page, "price");
    await found.getByRole("row").filter({ hasText: "queued" }).getByRole("button").click();
    await panel.getByText(/All 1 threads are busy; thread \d+ has run hold for/).waitFor();
    const unwanted = orders.price(99);
    await find(page, "price");
    await found.getByRole("row").filter({ hasText: "queued" }).nth(1).getByRole("button").click();
    await panel.getByRole("button", { name: "Cancel" }).click();
    await expect(unwanted).rejects.toMatchObject({ code: "ERR_SKEIN_JOB_CANCELED" });
    await panel.getByText("canceled", { exact: true }).waitFor();
    await find(page, "price");
    await found.getByRole("row").filter({ hasText: "queued" }).getByRole("button").click();
    Atomics.store(gate, 1, 1);
    Atomics.notify(gate, 1);
    await Promise.all([holding, waiting]);
    await panel.getByText("completed", { exact: true }).waitFor();
    await find(page, "hold");
    await found.getByRole("row").filter({ hasText: "hold" }).getByRole("button").waitFor();
    expect(complaints).toEqual([]);
  });

  it("works by keyboard alone, and is whole for a screen reader, in light and dark", async () => {
    const { orders, page } = shared;
    await page.getByRole("tab", { name: "Slowest" }).click();
    for (let i = 0; i < 3; i++) await orders.price(i);
    await expect(orders.validate("x")).rejects.toThrow(TypeError);
    await page.getByRole("button", { name: /price/ }).first().waitFor();
    const timeline = page.getByRole("application", { name: "What each thread does over time" });
    await timeline.focus();
    const spoken = page.getByText(/^(?:price|validate), job 0-\d+, (?:completed|failed)/);
    // The timeline shows what was a moment ago: the jobs are about to come into view.
    await eventually("a job is said", async () => {
      await page.keyboard.press("ArrowLeft");
      return (await spoken.count()) > 0;
    });
    expect(await page.getByRole("button", { name: "Go on" }).getAttribute("aria-pressed")).toBe("true");
    const span = page.getByRole("combobox", { name: "Time shown" });
    expect(await span.inputValue()).toBe("10");
    await page.keyboard.press("+");
    expect(await span.inputValue()).toBe("0");
    await page.keyboard.press("-");
    expect(await span.inputValue()).toBe("10");
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.keyboard.press("/");
    expect(await page.getByRole("searchbox").evaluate((node) => node === document.activeElement)).toBe(true);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    for (const name of ["Failed", "Functions", "Threads", "Found", "Slowest"]) {
      await page.getByRole("tab", { name }).click();
      expect(await violations(page)).toEqual([]);
    }
  });

  it("gives away what it shows as a trace", async () => {
    const { orders, page } = shared;
    await orders.price(5);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download trace" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("skein-timeline.json");
    const { traceEvents } = assertTrace(readFileSync(await download.path(), "utf8"));
    expect(traceEvents.some(({ ph, name }) => ph === "X" && name === "price")).toBe(true);
  });

  it("fits on a phone", async () => {
    const { page } = shared;
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 390, height: 800 });
    await page.getByRole("button", { name: /price/ }).first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize(DESKTOP);
  });

  it("is nothing to pages of others: neither by a name that points here, nor from another origin", async () => {
    const { devtools } = shared;
    const page = await browser!.newPage();
    open.push(() => page.close());
    const answer = await page.goto(`http://attacker.test:${devtools.port}/`);
    expect(answer!.status()).toBe(403);
    const { port } = await somePage();
    await page.goto(`http://127.0.0.1:${port}/`);
    const reached = await page.evaluate(async (base) => {
      const reads = async (mode: RequestMode): Promise<string> => {
        try {
          return (await (await fetch(`${base}feed`, { mode })).text()).slice(0, 5);
        } catch {
          return "refused";
        }
      };
      const listens = new Promise<string>((resolve) => {
        const source = new EventSource(`${base}feed`);
        source.addEventListener("hello", () => resolve("heard"));
        source.addEventListener("error", () => resolve("refused"));
      });
      return [await reads("cors"), await reads("no-cors"), await listens];
    }, devtools.url);
    expect(reached).toEqual(["refused", "refused", "refused"]);
    expect(await isFramed(page, devtools)).toBe(false);
    expect(devtools.clients).toBe(1);
  });

  it("is shown in a frame by pages of the origins that are named, and by no other", async () => {
    const { pool } = shared;
    const { port } = await somePage();
    const framed = await serveDevtools(pool, { port: 0, frameAncestors: [`http://127.0.0.1:${port}`] });
    open.push(() => framed.close());
    const { page, complaints } = await visit(`http://127.0.0.1:${port}/`);
    expect(await isFramed(page, framed)).toBe(true);
    expect(complaints).toEqual([]);
    await page.goto(`http://attacker.test:${port}/`);
    expect(await isFramed(page, framed)).toBe(false);
  });

  it("is loaded again when the program is, with another version of it", async () => {
    const { devtools } = shared;
    const page = await browser!.newPage();
    open.push(() => page.close());
    page.setDefaultTimeout(LIMIT);
    const body = `event: hello\ndata: ${JSON.stringify({ type: "hello", version: FEED_VERSION + 1 })}\n\n`;
    await page.route("**/feed", (route) => route.fulfill({ contentType: "text/event-stream", body }), {
      times: 1,
    });
    let loads = 0;
    page.on("load", () => loads++);
    await page.goto(devtools.url);
    await status(page, "Live");
    expect(loads).toBe(2);
    await page.close();
  });

  it("changes the number of threads where it may", async () => {
    const { pool, page } = shared;
    await page.getByLabel("threads from").fill("2");
    await page.getByLabel("to", { exact: true }).fill("3");
    await page.getByRole("button", { name: "Set" }).click();
    await page.getByText("set", { exact: true }).waitFor();
    expect([pool.minThreads, pool.maxThreads]).toEqual([2, 3]);
  });

  it("says that the pool has closed, and that the program is gone until it is back", async () => {
    const { pool, devtools, page } = shared;
    await devtools.close();
    await status(page, "The connection is lost");
    const again = await serveDevtools(pool, { port: devtools.port });
    open.push(() => again.close());
    await status(page, "Live");
    await pool.close();
    await status(page, "The pool has closed");
    expect(again.clients).toBe(0);
  });

  /** `SKEIN_SCREENSHOTS=1` draws the pictures of docs/. */
  it.runIf(process.env["SKEIN_SCREENSHOTS"] === "1")("looks as in the pictures", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { pool, orders, page } = await scene(4, {}, colorScheme);
      const submit = (): void => {
        correlationId.run(`request-${Math.floor(Math.random() * 9000) + 1000}`, () => {
          void orders.report(2);
          for (const ms of [2, 4, 9]) void orders.resize(ms);
          void pool.run(orders.price, [3], { priority: "high" });
          if (Math.random() < 0.1) orders.validate("x").then(null, () => {});
        });
      };
      const work = setInterval(submit, 15);
      const bursts = setInterval(() => {
        for (let i = 0; i < 40; i++) void pool.run(orders.resize, [4], { priority: "low" });
      }, 2000);
      await page.waitForTimeout(9000);
      await page.getByRole("tabpanel").getByRole("button").first().click();
      await page.waitForTimeout(1000);
      await page.screenshot({
        path: fileURLToPath(new URL(`../../../docs/devtools-${colorScheme}.png`, import.meta.url)),
      });
      clearInterval(work);
      clearInterval(bursts);
      await pool.close();
      expect(pool.stats().failed).toBeGreaterThan(0);
    }
  });
});

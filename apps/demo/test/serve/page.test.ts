/** The page of `census serve` in a real browser, with the real server: what two people do with it. One of each for all tests, in their order. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { violations } from "../../../../test/support/accessibility.ts";
import { startChromium } from "../../../../test/support/chromium.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import { folderFor } from "../temporary-tree.ts";
import { ServeProcess } from "./serve-process.ts";

const LIMIT = timeLimit(30_000);
const DESKTOP = { width: 1280, height: 900 };
const HOSTILE = "<img src=x onerror=alert(1)>\u202E.js";
const LARGE_FILES = 48;
const SMALL_FILES = 60;

const browser: Browser | null = await startChromium();
// Removed last, when nobody writes to it.
const folder = folderFor(afterAll);
const open: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of open.toReversed()) await close();
  await browser?.close();
});

/** What is scanned: many small files, and some that take long enough to be in their midst. */
function makeTree(): string {
  const root = join(folder, "root");
  for (const name of ["small/one", "small/two", "large"]) {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, "package.json"), JSON.stringify({ name: name.replace("/", "-") }));
  }
  for (let i = 0; i < SMALL_FILES; i++)
    writeFileSync(
      join(root, "small", i % 2 === 0 ? "one" : "two", `file${i}.js`),
      `export const list${i} = [\n${"  (a) => (a > 0 ? a : -a),\n".repeat(1 + (i % 5))}];\n`,
    );
  writeFileSync(join(root, "small/one", HOSTILE), "export const broken = ;\n");
  const large = Array.from(
    { length: 150 },
    (_, i) =>
      `export function g${i}(a, b) {\n  for (const each of a) if (each > b && b < ${i}) b += each * ${i};\n  return b;\n}\n`,
  ).join("");
  for (let i = 0; i < LARGE_FILES; i++) writeFileSync(join(root, "large", `large${i}.js`), large);
  return root;
}

class Person {
  readonly page: Page;
  /** What went wrong in the page, but for requests while the server is gone. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(LIMIT);
    page.on("pageerror", (error) => this.complaints.push(String(error.stack)));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        this.complaints.push(message.text());
    });
  }

  static async visit(url: string, colorScheme: "light" | "dark" = "light"): Promise<Person> {
    const context = await browser!.newContext({ colorScheme, viewport: DESKTOP });
    open.push(() => context.close());
    const person = new Person(await context.newPage());
    await person.page.goto(url);
    await person.status("Live");
    return person;
  }

  async status(text: string): Promise<void> {
    await this.page.getByRole("banner").getByRole("status").filter({ hasText: text }).waitFor();
  }

  async scan(path: string): Promise<void> {
    await this.page.getByLabel("Folder below the root").fill(path);
    await this.page.getByRole("button", { name: "Scan", exact: true }).click();
  }

  /** The scans of this name in the list, newest first. */
  rows(name: string): Locator {
    return this.page
      .getByRole("region", { name: "Scans" })
      .getByRole("listitem")
      .filter({ has: this.page.getByRole("button", { name, exact: true }) });
  }

  async reaches(name: string, state: string): Promise<void> {
    await this.rows(name).first().getByText(state, { exact: true }).waitFor();
  }

  /** Begins scans until one is seen in its midst: on a busy machine it may be over before anybody looks. */
  async scanInItsMidst(name: string): Promise<void> {
    await eventually(`a scan of ${name} in its midst`, async () => {
      const before = await this.rows(name).count();
      await this.scan(name);
      const seen = await eventually("some of its files are done", async () => {
        if ((await this.rows(name).count()) === before) return null;
        const [state, done] = await this.rows(name)
          .first()
          .evaluate((row: HTMLElement) => [row.dataset["state"], row.querySelector("progress")!.value]);
        return done === 0 ? null : state;
      });
      return seen === "scanning";
    });
  }

  /** All that is said of the chosen scan, its digest last. */
  async facts(): Promise<string[]> {
    return await this.page.getByRole("region", { name: "Result" }).locator(".tile").allInnerTexts();
  }

  /** What a fact about the chosen scan is. */
  async fact(title: string): Promise<string> {
    const tile = this.page
      .getByRole("region", { name: "Result" })
      .locator(".tile")
      .filter({ hasText: title });
    return await tile.getByRole("definition").innerText();
  }

  alert(region: string): Locator {
    return this.page.getByRole("region", { name: region }).getByRole("alert").filter({ hasText: /\S/ });
  }
}

/** Which rows of how many. */
async function shows(table: Locator, rows: string): Promise<void> {
  await table.getByText(rows).first().waitFor();
}

describe.runIf(browser !== null)("the page of census serve", { timeout: timeLimit(120_000) }, () => {
  let server: ServeProcess;
  let ada: Person;
  let bob: Person;
  let largeFacts: string[] = [];

  beforeAll(async () => {
    server = new ServeProcess([
      "--root",
      makeTree(),
      "--data",
      join(folder, "data"),
      "--threads",
      "1",
      "--chaos",
    ]);
    open.push(() => server.stop());
    await server.start();
    [ada, bob] = await Promise.all([Person.visit(server.url), Person.visit(server.url)]);
  });

  it("two people scan at once, and each sees both; a setting changes while they do, for both", async () => {
    await ada.scanInItsMidst("large");
    await bob.scan("small");
    await ada.page.getByRole("radio", { name: /^yield/ }).check();
    await ada.page.getByRole("button", { name: "One thread more" }).click();
    for (const { page } of [ada, bob]) {
      await page
        .getByRole("list", { name: "What each setting did" })
        .getByText(/^2 threads, yield, now/)
        .waitFor();
      expect(await page.getByRole("radio", { name: /^yield/ }).isChecked()).toBe(true);
    }
    for (const person of [ada, bob]) {
      await person.reaches("large", "done");
      await person.reaches("small", "done");
    }
    largeFacts = await ada.facts();
    expect(largeFacts.at(-1)).toMatch(/^result\s+[0-9a-f]{12}$/);
    expect(await ada.fact("files")).toBe(String(LARGE_FILES));
    expect([...ada.complaints, ...bob.complaints]).toEqual([]);
  });

  it("pages, sorts and filters what was found, with file names as text; the URL holds the place", async () => {
    const { page } = bob;
    await page.getByRole("tab", { name: "Files" }).click();
    const files = page.getByRole("tabpanel", { name: "Files" });
    await shows(files, `1–50 of ${SMALL_FILES + 1}`);
    await files.getByRole("button", { name: "Next page" }).click();
    await shows(files, `51–${SMALL_FILES + 1} of ${SMALL_FILES + 1}`);
    await page.reload();
    await shows(files, `51–${SMALL_FILES + 1} of ${SMALL_FILES + 1}`);
    await page.goBack();
    await shows(files, `1–50 of ${SMALL_FILES + 1}`);
    await files.getByRole("button", { name: "file", exact: true }).click();
    await files.locator("th[aria-sort=ascending]").filter({ hasText: "file" }).waitFor();
    await files.getByLabel("Filter").fill("img");
    await shows(files, "1–1 of 1");
    const cell = files.getByRole("cell", { name: "<img src=x" });
    expect(await cell.innerText()).toContain("<img src=x onerror=alert(1)>\uFFFD.js");
    expect(await files.locator("img").count()).toBe(0);
    await files.getByLabel("Filter").fill("");
    await page.getByRole("tab", { name: "Syntax errors 1" }).click();
    await page
      .getByRole("tabpanel", { name: /^Syntax errors/ })
      .getByRole("cell", { name: "<img src=x" })
      .waitFor();
    await page.getByRole("tab", { name: "Packages" }).click();
    await page.getByRole("button", { name: /^small-two: \d+ lines, 30 files/ }).click();
    await shows(files, "1–30 of 30");
    expect(bob.complaints).toEqual([]);
  });

  it("finds by correlation id whose scans and log lines there are", async () => {
    const { page } = bob;
    await page.getByRole("button", { name: "Find scans and log lines with this id" }).click();
    const found = page.getByRole("region", { name: "Found by correlation id" });
    await found.getByText(/^1 scan, [1-9]\d* log line/).waitFor();
    await found.getByRole("cell", { name: "syntax errors" }).first().waitFor();
    await found.getByRole("button", { name: "small" }).waitFor();
    await page.reload();
    await found.getByRole("button", { name: "small" }).waitFor();
    await found.getByRole("button", { name: "Close" }).click();
    await found.waitFor({ state: "hidden" });
    expect(new URL(page.url()).hash).not.toContain("id=");
  });

  it("shows the threads beside the page, as long as somebody wants to see them", async () => {
    const { page } = ada;
    const button = page.getByRole("banner").getByRole("button", { name: "Devtools" });
    await button.click();
    const devtools = page.frameLocator("iframe");
    await devtools.getByRole("status").filter({ hasText: "Live" }).waitFor();
    await devtools.getByRole("application", { name: "What each thread does over time" }).waitFor();
    await page.reload();
    await devtools.getByRole("status").filter({ hasText: "Live" }).waitFor();
    expect(await button.getAttribute("aria-expanded")).toBe("true");
    await button.click();
    await page.locator("iframe").waitFor({ state: "detached" });
    expect(ada.complaints).toEqual([]);
  });

  it("takes an archive, and says in a sentence why it takes another one not", async () => {
    const archive = join(folder, "small.tar.gz");
    execFileSync("tar", ["-czf", archive, "-C", join(folder, "root"), "small"]);
    const broken = join(folder, "broken.zip");
    writeFileSync(broken, "PK\u0003\u0004 and nothing that follows from it");
    const { page } = ada;
    const input = page.getByLabel(/^Archive/);
    await input.setInputFiles(broken);
    await ada
      .alert("New scan")
      .filter({ hasText: /^broken\.zip: [A-Z].*\.$/ })
      .waitFor();
    await ada.scan("../elsewhere");
    await ada
      .alert("New scan")
      .filter({ hasText: /^[A-Z].*\.$/ })
      .waitFor();
    await input.setInputFiles(archive);
    await ada.reaches("small.tar.gz", "done");
    expect(await ada.fact("files")).toBe(String(SMALL_FILES + 1));
    expect(await ada.alert("New scan").count()).toBe(0);
  });

  it("shows the same result after a thread was killed and the server too; it says so, and the scan is resumed", async () => {
    await eventually(
      "the server is killed before the scan is done",
      async () => {
        await ada.scanInItsMidst("large");
        expect((await fetch(new URL("api/chaos", server.url), { method: "POST" })).ok).toBe(true);
        await server.kill();
        for (const person of [ada, bob]) await person.status("The server is gone");
        await ada.scan("small");
        await ada.alert("New scan").filter({ hasText: "The server does not answer" }).waitFor();
        await server.start();
        for (const person of [ada, bob]) await person.status("Live");
        const state = await eventually("it says how the scan has ended", async () => {
          const said = await bob.rows("large").first().getAttribute("data-state");
          return said === "scanning" ? null : said;
        });
        return state === "interrupted";
      },
      90_000,
    );
    await bob.rows("large").first().getByText("interrupted: The server ended while").waitFor();
    await ada.rows("large").first().getByRole("button", { name: "Resume" }).click();
    await bob.reaches("large", "done");
    await ada.reaches("large", "done");
    expect(await ada.facts()).toEqual(largeFacts);
    expect([...ada.complaints, ...bob.complaints]).toEqual([]);
  });

  it("cancels and deletes a scan, for everybody", async () => {
    await eventually(
      "a scan is cancelled before it is done",
      async () => {
        await ada.scanInItsMidst("large");
        // At once, whether the button can be seen: it goes away when the scan is done.
        await bob
          .rows("large")
          .first()
          .getByRole("button", { name: "Cancel", includeHidden: true })
          .dispatchEvent("click");
        const state = await eventually("it has ended", async () => {
          const said = await ada.rows("large").first().getAttribute("data-state");
          return said === "scanning" || said === "queued" ? null : said;
        });
        return state === "cancelled";
      },
      90_000,
    );
    await ada.rows("large").first().getByRole("button", { name: "Delete" }).click();
    await ada.rows("large").first().getByRole("button", { name: "Delete for good" }).click();
    await ada.reaches("large", "done");
    await bob.reaches("large", "done");
    for (const person of [ada, bob])
      expect(await person.rows("large").filter({ hasText: "cancelled" }).count()).toBe(0);
  });

  it("works by keyboard, and keeps nobody out: light, dark, and on a phone", async () => {
    const { page } = bob;
    await page.getByRole("tab", { name: "Packages" }).click();
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("tab", { name: "Files" }).getAttribute("aria-selected")).toBe("true");
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("button", { name: /^small-one: / }).focus();
    await page.keyboard.press("Enter");
    await shows(page.getByRole("tabpanel", { name: "Files" }), "1–31 of 31");
    await page.getByRole("button", { name: "Find scans and log lines with this id" }).click();
    await page.getByRole("region", { name: "Found by correlation id" }).getByRole("cell").first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.getByRole("tab", { name: "Packages" }).click();
    await page.getByRole("button", { name: /^small-one: / }).waitFor();
    await page.setViewportSize({ width: 380, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(380);
    expect(await violations(page)).toEqual([]);
  });

  /** `SKEIN_SCREENSHOTS=1` draws the picture of docs/: this repository's packages, while settings are changed, the threads beside it. */
  it.runIf(process.env["SKEIN_SCREENSHOTS"] === "1")("looks as in the picture", async () => {
    const root = fileURLToPath(new URL("../../../../packages", import.meta.url));
    const shown = new ServeProcess(["--root", root, "--data", join(folder, "shown")]);
    open.push(() => shown.stop());
    await shown.start();
    const person = await Person.visit(shown.url);
    const { page } = person;
    await page.setViewportSize({ width: 1680, height: 1240 });
    await page.getByRole("button", { name: "Devtools" }).click();
    await person.scan("");
    await person.reaches("all of the root", "done");
    await person.scan("");
    for (const policy of ["inline", "yield"]) {
      await page.waitForTimeout(3000);
      await page.getByRole("radio", { name: new RegExp(`^${policy}`) }).check();
    }
    await page.waitForTimeout(3000);
    await person.rows("all of the root").nth(1).getByRole("button").first().click();
    await page.getByRole("button", { name: /^@skein\/context: / }).waitFor();
    await page.screenshot({ path: fileURLToPath(new URL("../../docs/serve.png", import.meta.url)) });
    expect(person.complaints).toEqual([]);
  });
});

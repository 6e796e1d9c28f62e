/** Debian's Chromium, for pages of ours. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const PROGRAM = "/usr/bin/chromium";
const INSTALL = join(import.meta.dirname, "../../scripts/install-test-servers.sh");

/** @returns null, having said why, when there is none here and it cannot be installed. @throws in CI instead. */
export async function startChromium(args: readonly string[] = []): Promise<Browser | null> {
  if (!existsSync(PROGRAM)) {
    const canInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
    const { status } = canInstall ? spawnSync(INSTALL, { stdio: "inherit" }) : { status: 1 };
    if (status !== 0 || !existsSync(PROGRAM)) {
      const reason = "chromium is not installed; scripts/install-test-servers.sh would install it on Debian";
      if (process.env["CI"] !== undefined) throw new Error(reason);
      console.log(`Skipped: ${reason}`);
      return null;
    }
  }
  // The sandbox of Chromium does not work for root, nor in most containers; it shows only pages of ours.
  return await chromium.launch({ executablePath: PROGRAM, args: ["--no-sandbox", ...args] });
}

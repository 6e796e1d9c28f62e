/** What axe says of a page. */
import axe from "axe-core";
import type { Page } from "playwright-core";

/** Ways in which the page keeps somebody out: the rule, and where it is broken. */
export async function violations(page: Page): Promise<string[]> {
  // As a debugger would: the policies of our pages allow no other script.
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { axe: inPage } = globalThis as unknown as { axe: typeof axe };
    const { violations: found } = await inPage.run({ resultTypes: ["violations"] });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

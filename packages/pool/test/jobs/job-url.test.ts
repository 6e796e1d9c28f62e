// oxlint-disable typescript/no-unsafe-type-assertion -- values of every kind, also wrong ones, are what is tested
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

import { resolveJobUrl } from "../../src/jobs/job-url.ts";

describe("the address of a job module", () => {
  it("is a file URL, as an object or as text, or an absolute path", () => {
    const href = pathToFileURL("/srv/my jobs/geo.jobs.ts").href;
    expect(resolveJobUrl(new URL(href))).toBe(href);
    expect(resolveJobUrl(href)).toBe(href);
    expect(resolveJobUrl("/srv/my jobs/geo.jobs.ts")).toBe(href);
  });

  it("keeps a query, and folds what is the same file", () => {
    expect(resolveJobUrl("file:///a/../b.mjs?v=1")).toBe("file:///b.mjs?v=1");
    expect(resolveJobUrl("/a/../b.mjs")).toBe("file:///b.mjs");
  });

  it.each([
    "./geo.jobs.ts",
    "geo.jobs.ts",
    "",
    "http://localhost/geo.mjs",
    "data:text/javascript,1",
    "blob:nodedata:1",
    "node:fs",
    new URL("https://localhost/geo.mjs"),
    undefined,
    null,
    7,
    {},
  ])("is not %o: code does not come from elsewhere", (url) => {
    expect(() => resolveJobUrl(url as never)).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });

  it.each([
    ["./geo.jobs.ts", 'new URL("./geo.jobs.ts", import.meta.url)'],
    ["../geo.jobs.ts", 'new URL("../geo.jobs.ts", import.meta.url)'],
    ["geo.jobs.ts", 'new URL("./geo.jobs.ts", import.meta.url)'],
    ["jobs/geo.mjs", 'import.meta.resolve("jobs/geo.mjs")'],
    ["pkg", 'import.meta.resolve("pkg")'],
    ["pkg/jobs", 'import.meta.resolve("pkg/jobs")'],
    ["@scope/pkg/jobs", 'import.meta.resolve("@scope/pkg/jobs")'],
    ["#jobs", 'import.meta.resolve("#jobs")'],
  ])("is not %s, and the error says what to write", (url, hint) => {
    expect(() => resolveJobUrl(url)).toThrow(hint);
  });

  it("is called what the caller calls it", () => {
    expect(() => resolveJobUrl("pkg", "initialize")).toThrow(/^Expected `initialize` to be a file: URL/);
  });
});

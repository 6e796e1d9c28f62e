/** What needs a process of its own. */
import { expect, it } from "vitest";
import { runScript, runScriptWithin } from "../run-script.ts";

it("an idle pool lets the process exit, and no console output of a job is lost", async () => {
  const { code, stdout, stderr } = await runScript("exits-by-itself.ts");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const lines = stdout.trim().split("\n");
  expect(lines).toHaveLength(601);
  expect(lines.filter((line) => line.startsWith("a "))).toEqual(
    Array.from({ length: 300 }, (_, i) => `a ${i}`),
  );
});

it("an outstanding job keeps the process alive", async () => {
  expect(await runScript("awaits-alone.ts")).toMatchObject({ code: 0, stdout: "late\n" });
});

it("ports that were moved, delivered or not, let the process exit", async () => {
  expect(await runScript("exits-with-ports.ts")).toMatchObject({ code: 0, stdout: "closed\n", stderr: "" });
});

it("process.exit ends the process although jobs run and wait", async () => {
  expect(await runScript("exits-with-jobs.ts")).toMatchObject({ code: 7, stderr: "" });
});

it("an idle pool burns no CPU: at most 10 ms a second, all threads", async () => {
  const { code, stdout } = await runScript("idles.ts");
  expect(code).toBe(0);
  expect(Number(stdout)).toBeLessThanOrEqual(10);
});

it("a failed job that nobody observes is an unhandled rejection", async () => {
  expect(await runScript("faults-unobserved.ts")).toMatchObject({
    code: 0,
    stdout: "unhandled: nobody looks\n",
  });
});

it("where address space is scarce arenas are small, and hold payloads all the same", async () => {
  // Those that can grow reserve 10 GiB each.
  const { stderr, code, stdout } = await runScriptWithin(40_000_000, "scarce-arenas.ts");
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  expect(stdout).toMatch(/^(grows ){0,3}(fixed ){7,10}true\n$/);
});

it("a first job loads no part of Node that few programs need, on either thread", async () => {
  const { stdout, code } = await runScript("loads-builtins.ts");
  expect(code).toBe(0);
  const loaded = JSON.parse(stdout) as { main: string[]; thread: string[] };
  const few = new Set([
    "v8",
    "crypto",
    "internal/webstreams/readablestream",
    "internal/process/report",
    "internal/fs/promises",
  ]);
  expect(loaded.thread).toContain("worker_threads");
  expect(loaded.main.filter((name) => few.has(name))).toEqual([]);
  expect(loaded.thread.filter((name) => few.has(name))).toEqual([]);
});

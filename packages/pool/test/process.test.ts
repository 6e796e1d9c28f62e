/** What needs a process of its own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runScript(name: string): Promise<Ended> {
  const script = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@skein/source", script], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

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

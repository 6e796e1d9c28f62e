import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { availableCores, cpuQuota } from "../../src/host/available-cores.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skein-cores-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(files: Readonly<Record<string, string>>, below: string): Promise<string> {
  const root = join(folder, below);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

test.each([
  ["no control groups", {}, Infinity],
  [
    "version 2, no limit",
    { "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n" },
    Infinity,
  ],
  ["version 2", { "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n" }, 1.5],
  [
    "version 2, the group around it has less",
    {
      "proc/self/cgroup": "0::/a/b\n",
      "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
      "sys/fs/cgroup/a/cpu.max": "50000 100000\n",
    },
    0.5,
  ],
  [
    "version 1 in a container: the path is the host's",
    {
      "proc/self/cgroup": "4:cpu,cpuacct:/docker/1\n0::/docker/1\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    },
    2,
  ],
  [
    "version 1, cpu alone, no limit",
    {
      "proc/self/cgroup": "1:cpu:/\n",
      "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    },
    Infinity,
  ],
])("the CPU limit of %s", async (name, files, cores) => {
  expect(cpuQuota(await write(files, name))).toBe(cores);
});

test("the cores are those that Node names, within the limit, and at least one", () => {
  expect(availableCores(Infinity, 8)).toBe(8);
  expect(availableCores(2.5, 8)).toBe(2);
  expect(availableCores(0.5, 8)).toBe(1);
  expect(availableCores(16, 8)).toBe(8);
});

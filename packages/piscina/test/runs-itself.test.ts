import { fileURLToPath } from "node:url";
import { Piscina } from "@skein/piscina";
import { expect, test } from "vitest";

test("a task file that makes a pool of itself gets an error, and starts no chain of threads", async () => {
  const filename = fileURLToPath(new URL("./fixtures/runs-itself.mjs", import.meta.url));
  const pool = new Piscina({ filename, minThreads: 1, maxThreads: 1 });
  try {
    await expect(pool.run(1)).rejects.toMatchObject({ code: "ERR_SKEIN_POOL_IN_JOB_MODULE" });
  } finally {
    await pool.destroy();
  }
});

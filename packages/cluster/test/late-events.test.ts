/** A job that is seen to be over before events have told what it has reported. */
import { describe, expect, it } from "vitest";
import { startRedis } from "../../../test/support/redis-server.ts";
import { useClusters } from "./clusters.ts";
import type * as Jobs from "./delivery.jobs.ts";

const redis = await startRedis();
const { start } = useClusters<typeof Jobs>("delivery", new URL("./delivery.jobs.ts", import.meta.url), redis);

describe.skipIf(redis === null)("a job whose end is asked for all the time", () => {
  it("has told all its reports first", async () => {
    const { cluster, jobs, worker } = start({ pollMs: 1 });
    worker();
    for (let i = 0; i < 100; i++) {
      const seen: unknown[] = [];
      await cluster.run(jobs.reportMany, [3], { onProgress: (value) => seen.push(value) });
      expect(seen).toEqual([0, 1, 2]);
    }
  });
});

import { expect, it } from "vitest";
import { AskedProcess } from "../../src/service/asked-process.ts";
import { Trial } from "../../src/service/trial.ts";
import { skeinVariants } from "../../src/service/variants.ts";
import { workloadOf } from "../../src/service/workload.ts";

const [variant] = skeinVariants;
const plan = { seed: 1, ratePerSecond: 200, seconds: 0.3, connections: 8 };

it("a round of each load is answered and checked, and both processes end by themselves", async () => {
  const trial = await Trial.start(variant!, workloadOf(1000));
  expect(await trial.constantRate(plan)).toMatchObject({ checkedReplies: 60, mismatches: 0 });
  expect(await trial.saturation({ requests: 100, connections: 4 })).toMatchObject({
    checkedReplies: 100,
    mismatches: 0,
  });
  await trial.close();
});

it("a round with wrong replies throws", async () => {
  const trial = await Trial.start(variant!, { steps: 1000, digests: [0] });
  await expect(trial.constantRate(plan)).rejects.toThrow(
    "0 replies with another request's id, 3 errors: digest",
  );
  await trial.close();
});

it("a process that ends before its first message is an error with its exit code", async () => {
  const silent = new URL("../../src/service/clock.ts", import.meta.url);
  await expect(AskedProcess.start(silent, [])).rejects.toThrow("clock.ts has ended: exit code 0");
});

import { describe, expect, it, vi } from "vitest";
import { interleave, orderOf } from "../../src/method/interleave.ts";
import { Progress } from "../../src/method/progress.ts";
import type { Contender, Scenario } from "../../src/method/scenario.ts";

function contender(name: string, log: string[], round: (calls: number) => number): Contender {
  return {
    name,
    kind: "peer",
    product: name,
    configuration: "",
    open() {
      let calls = 0;
      return Promise.resolve({
        round() {
          log.push(name);
          return Promise.resolve({ value: round(calls++) });
        },
        close() {
          log.push(`${name} closed`);
          return Promise.resolve();
        },
      });
    },
  };
}

function scenario(contenders: readonly Contender[], more: Partial<Scenario> = {}): Scenario {
  return {
    name: "one",
    title: "One",
    metrics: [{ key: "value", title: "value", unit: "count", better: "higher" }],
    contenders,
    ...more,
  };
}

function quiet(): Progress {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  return new Progress("test");
}

describe("interleave", () => {
  it("contenders take turns; the warm-up leaves no sample; all are closed at the end", async () => {
    const log: string[] = [];
    const results = await interleave(
      scenario([contender("a", log, (n) => n), contender("b", log, (n) => n * 10)]),
      2,
      quiet(),
    );
    expect(results.map(({ samples }) => samples.map(({ value }) => value))).toEqual([
      [1, 2],
      [10, 20],
    ]);
    for (const round of [log.slice(0, 2), log.slice(2, 4), log.slice(4, 6)]) {
      expect(round.toSorted()).toEqual(["a", "b"]);
    }
    expect(log.slice(6)).toEqual(["a closed", "b closed"]);
  });

  it("one that throws is reported with its error and keeps its earlier samples; the others go on", async () => {
    const log: string[] = [];
    const failing = contender("bad", log, (n) => {
      if (n === 2) throw new TypeError("out of luck");
      return n;
    });
    const [bad, good] = await interleave(scenario([failing, contender("good", log, (n) => n)]), 3, quiet());
    expect(bad!.error).toBe("round 2: TypeError: out of luck");
    expect(bad!.samples).toEqual([{ value: 1 }]);
    expect(good!.error).toBeNull();
    expect(good!.samples).toHaveLength(3);
  });

  it("one that cannot be opened is reported, never asked, and not closed", async () => {
    const log: string[] = [];
    const closed: Contender = {
      ...contender("shut", log, () => 0),
      open: () => Promise.reject(new Error("no door")),
    };
    const [shut, good] = await interleave(scenario([closed, contender("good", log, (n) => n)]), 1, quiet());
    expect(shut!.error).toBe("open: Error: no door");
    expect(good!.samples).toEqual([{ value: 1 }]);
    expect(log).toEqual(["good", "good", "good closed"]);
  });

  it("one that never comes back is given up after the time limit", async () => {
    const log: string[] = [];
    const stuck: Contender = {
      ...contender("stuck", log, () => 0),
      open: () =>
        Promise.resolve({ round: () => new Promise<never>(() => {}), close: () => Promise.resolve() }),
    };
    const results = await interleave(
      scenario([stuck, contender("good", log, (n) => n)], { timeoutMs: 50 }),
      1,
      quiet(),
    );
    expect(results[0]!.error).toContain("took longer than 50 ms");
    expect(results[1]!.samples).toHaveLength(1);
  });
});

describe("orderOf", () => {
  it("over as many rounds as contenders everybody is first about equally often", () => {
    const first = Array.from({ length: 12 }, (_, round) => orderOf(["a", "b", "c"], round)[0]);
    for (const name of ["a", "b", "c"]) expect(first.filter((own) => own === name)).toHaveLength(4);
  });

  it("nobody always runs after the same neighbour", () => {
    const before = new Set<string>();
    for (let round = 0; round < 6; round++) {
      const order = orderOf(["a", "b", "c"], round);
      before.add(order[order.indexOf("b") - 1] ?? "nobody");
    }
    expect(before).toEqual(new Set(["nobody", "a", "c"]));
  });

  it("warm-up rounds, which count below 0, have an order of all as well", () => {
    expect(orderOf(["a", "b", "c"], -1).toSorted()).toEqual(["a", "b", "c"]);
  });
});

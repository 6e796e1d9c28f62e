import { expect, it } from "vitest";
import { type Demand, ThreadDemand } from "../../src/host/thread-demand.ts";

/** Asked every 500 ms, with two threads on four cores. */
function ask(...looks: readonly Partial<Pick<Demand, "jobsWait" | "taken" | "cpuMs">>[]): unknown[] {
  const demand = new ThreadDemand();
  let cpuMs = 0;
  return looks.map((look, i) => {
    cpuMs += look.cpuMs ?? 0;
    return demand.ask({ now: i * 500, jobsWait: true, taken: 7, cores: 4, threads: 2, ...look, cpuMs });
  });
}

it("A3.14 jobs wait, and nobody has taken one since the last look: stuck", () => {
  expect(ask({}, {}, {})).toEqual([null, "stuck", "stuck"]);
});

it("A3.14 on full cores only after a second per thread", () => {
  const full = { cpuMs: 1900 };
  expect(ask(full, full, full, full, full, full)).toEqual([null, null, null, null, "stuck", "stuck"]);
});

it("A3.14 jobs wait from look to look although some are taken: busy, as long as cores are idle", () => {
  expect(ask({ taken: 1 }, { taken: 2 }, { taken: 3, cpuMs: 1900 }, { taken: 4 })).toEqual([
    null,
    "busy",
    null,
    "busy",
  ]);
});

it("nothing when no job waits, or none waited at the last look", () => {
  expect(ask({ jobsWait: false }, { jobsWait: false }, {}, { jobsWait: false }, {}, {})).toEqual([
    null,
    null,
    null,
    null,
    null,
    "stuck",
  ]);
});

it("patience begins anew with each job that is taken", () => {
  const full = { cpuMs: 1900 };
  const next = { ...full, taken: 8 };
  expect(ask(full, full, full, full, next, next, next, next, next)).toEqual([
    ...Array.from({ length: 8 }, () => null),
    "stuck",
  ]);
});

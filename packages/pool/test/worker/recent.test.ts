import { describe, expect, it } from "vitest";
import { RecentBySubmitter } from "../../src/worker/recent.ts";

function fill(recent: RecentBySubmitter<string>, serial: number, from: number, to: number): void {
  for (let id = from; id < to; id++) recent.set(serial, id, `${serial}:${id}`);
}

describe("RecentBySubmitter", () => {
  it("numbers of different submitters are different things", () => {
    const recent = new RecentBySubmitter<string>(4);
    for (const serial of [0, 1, 2 ** 20 - 1])
      for (const id of [0, 1, 2 ** 42]) recent.set(serial, id, `${serial}:${id}`);
    for (const serial of [0, 1, 2 ** 20 - 1]) {
      for (const id of [0, 1, 2 ** 42]) expect(recent.get(serial, id)).toBe(`${serial}:${id}`);
    }
  });

  it("keeps what was used lately: at least as many as the limit says, at most twice as many", () => {
    const recent = new RecentBySubmitter<string>(4);
    fill(recent, 1, 0, 4);
    for (let id = 4; id < 100; id++) {
      expect(recent.get(1, 0)).toBe("1:0");
      recent.set(1, id, `1:${id}`);
    }
    const kept = Array.from({ length: 100 }, (_, id) => recent.get(1, id)).filter(
      (value) => value !== undefined,
    );
    expect(kept.length).toBeGreaterThanOrEqual(4);
    expect(kept.length).toBeLessThanOrEqual(8);
    expect(kept).toContain("1:99");
  });

  it("teardown: a submitter that has ended leaves nothing for one that gets its serial", () => {
    const recent = new RecentBySubmitter<string>(4);
    fill(recent, 1, 0, 3);
    fill(recent, 2, 0, 3);
    expect(recent.get(1, 0)).toBe("1:0");
    recent.drop(1);
    expect([recent.get(1, 0), recent.get(2, 0)]).toEqual([undefined, "2:0"]);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { createLayout, LINE_WORDS } from "../../src/shared/layout.ts";
import { ALL, OWN, SHARED } from "../../src/shared/reach.ts";
import { ASLEEP, BUSY, DEAD, IDLE, Parking, SEARCHING } from "../../src/shared/parking.ts";

const NOTIFIED = 5;
const layout = createLayout(4, 3);
let words: Int32Array;
let parking: Parking;

/** Sets the state words as they would be. */
function given(...states: number[]): void {
  for (const [w, state] of states.entries()) words[layout.parkWord + w * LINE_WORDS] = state;
}

function states(): number[] {
  return [0, 1, 2].map((w) => parking.state(w));
}

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(layout.controlBytes));
  parking = new Parking(words, layout);
});

describe("Parking", () => {
  it("smoke: a thread searches, falls asleep, is woken and searches again", async () => {
    expect(states()).toEqual([DEAD, DEAD, DEAD]);
    parking.setBusy(1);
    parking.setSearching(1);
    parking.announceSleep(1);
    expect(states()).toEqual([DEAD, ASLEEP, DEAD]);
    expect(parking.sleep(1, 0)).toBe("idle");
    expect(parking.state(1)).toBe(IDLE);
    const woken = parking.whenWoken(1);
    expect(woken).not.toBeNull();
    expect(parking.wakeOne()).toBe("woken");
    expect(parking.state(1)).toBe(NOTIFIED);
    await woken;
    parking.setSearching(1);
    expect(parking.state(1)).toBe(SEARCHING);
  });

  describe("wakeOne", () => {
    it.each([
      ["none", [DEAD, DEAD, DEAD], [DEAD, DEAD, DEAD]],
      ["none", [BUSY, BUSY, DEAD], [BUSY, BUSY, DEAD]],
      ["searching", [BUSY, SEARCHING, ASLEEP], [BUSY, SEARCHING, ASLEEP]],
      ["searching", [ASLEEP, BUSY, SEARCHING], [ASLEEP, BUSY, SEARCHING]],
      ["searching", [ASLEEP, NOTIFIED, DEAD], [ASLEEP, NOTIFIED, DEAD]],
      ["woken", [BUSY, ASLEEP, ASLEEP], [BUSY, NOTIFIED, ASLEEP]],
      ["woken", [BUSY, IDLE, ASLEEP], [BUSY, NOTIFIED, ASLEEP]],
      ["woken", [DEAD, BUSY, IDLE], [DEAD, BUSY, NOTIFIED]],
    ] as const)("%s from %j", (outcome, before, after) => {
      given(...before);
      expect(parking.wakeOne()).toBe(outcome);
      expect(states()).toEqual(after);
    });
  });

  it("wake touches only a thread that sleeps", () => {
    given(BUSY, SEARCHING, DEAD);
    expect([parking.wake(0), parking.wake(1), parking.wake(2)]).toEqual([false, false, false]);
    expect(states()).toEqual([BUSY, SEARCHING, DEAD]);
    given(NOTIFIED);
    expect(parking.wake(0)).toBe(false);
    expect(states()).toEqual([NOTIFIED, SEARCHING, DEAD]);
  });

  it("a wake-up between the announcement and the sleep is not slept through", () => {
    parking.announceSleep(0);
    expect(parking.wake(0)).toBe(true);
    expect(parking.sleep(0, Infinity)).toBe("awake");
    expect(parking.state(0)).toBe(NOTIFIED);
  });

  it("a wake-up between the sleep and the event loop leaves nothing to wait for", () => {
    parking.announceSleep(0);
    expect(parking.sleep(0, 0)).toBe("idle");
    expect(parking.wake(0)).toBe(true);
    expect(parking.whenWoken(0)).toBeNull();
  });

  it("a thread that found a job in its last search uses up the wake-up that came meanwhile", () => {
    parking.announceSleep(0);
    parking.wake(0);
    parking.stayAwake(0);
    expect(parking.state(0)).toBe(BUSY);
    expect(parking.wakeOne()).toBe("none");
  });

  it("a notify that comes late wakes a sleeper for nothing, who can sleep and be woken again", async () => {
    for (let round = 0; round < 3; round++) {
      parking.announceSleep(0);
      expect(parking.sleep(0, 0)).toBe("idle");
      const woken = parking.whenWoken(0);
      // The second half of an earlier wake-up.
      Atomics.notify(words, layout.parkWord);
      await woken;
      expect(parking.state(0)).toBe(IDLE);
      parking.setSearching(0);
    }
    parking.announceSleep(0);
    parking.sleep(0, 0);
    const woken = parking.whenWoken(0);
    parking.wake(0);
    await woken;
    // Exactly one waiter was there, and it is gone.
    expect(Atomics.notify(words, layout.parkWord)).toBe(0);
  });

  it("teardown: the host finishes the wake-ups that a dead thread has begun", async () => {
    given(BUSY);
    parking.announceSleep(1);
    parking.sleep(1, 0);
    const woken = parking.whenWoken(1);
    // Thread 0 gets as far as the CAS of its wake-up.
    given(BUSY, NOTIFIED);
    expect(parking.wakeOne()).toBe("searching");
    parking.setDead(0);
    await woken;
    expect(states()).toEqual([DEAD, NOTIFIED, DEAD]);
  });

  it("counts the threads that run or look", () => {
    given(BUSY, ASLEEP, SEARCHING);
    expect(parking.awake()).toBe(2);
    given(NOTIFIED, IDLE, DEAD);
    expect(parking.awake()).toBe(1);
    expect(parking.anyBusy()).toBe(false);
    given(NOTIFIED, IDLE, BUSY);
    expect(parking.anyBusy()).toBe(true);
  });

  it("H16 output on its way is remembered by thread, and forgotten with it", () => {
    expect(parking.anyOutputPending()).toBe(false);
    parking.setOutputPending(2, true);
    expect(parking.anyOutputPending()).toBe(true);
    parking.setOutputPending(2, false);
    expect(parking.anyOutputPending()).toBe(false);
    parking.setOutputPending(1, true);
    parking.setDead(1);
    expect(parking.anyOutputPending()).toBe(false);
  });

  describe("P5 for an exclusive job", () => {
    function within(...reaches: (typeof ALL | typeof SHARED | typeof OWN)[]): void {
      for (const [w, reach] of reaches.entries()) parking.setReach(w, reach);
    }

    it.each([
      ["woken", [IDLE, ASLEEP, BUSY], [SHARED, ALL, ALL], [IDLE, NOTIFIED, BUSY]],
      ["none", [IDLE, ASLEEP, BUSY], [SHARED, OWN, ALL], [IDLE, ASLEEP, BUSY]],
      ["searching", [SEARCHING, ASLEEP, SEARCHING], [SHARED, ALL, ALL], [SEARCHING, ASLEEP, SEARCHING]],
      ["woken", [SEARCHING, ASLEEP, NOTIFIED], [SHARED, ALL, OWN], [SEARCHING, NOTIFIED, NOTIFIED]],
      ["none", [SEARCHING, NOTIFIED, DEAD], [SHARED, OWN, ALL], [SEARCHING, NOTIFIED, DEAD]],
    ] as const)(
      "only threads that may take everything count: %s from %j, %j",
      (outcome, before, reaches, after) => {
        given(...before);
        within(...reaches);
        expect(parking.wakeOne(-1, true)).toBe(outcome);
        expect(states()).toEqual(after);
      },
    );

    it("they count for all other jobs as well", () => {
      given(BUSY, ASLEEP, DEAD);
      within(ALL, OWN, ALL);
      expect(parking.wakeOne()).toBe("woken");
    });

    it("teardown: the next thread in the place of a dead one may take everything", () => {
      within(OWN, SHARED, OWN);
      parking.setDead(0);
      expect([0, 1, 2].map((w) => parking.reachOf(w))).toEqual([ALL, SHARED, OWN]);
    });
  });

  describe("mail", () => {
    it("P4 wakes the thread that sleeps, touches no other, and is taken once", () => {
      given(ASLEEP, IDLE, BUSY);
      for (const w of [0, 1, 2]) {
        expect(parking.hasMail(w)).toBe(false);
        parking.announceMail(w);
        expect(parking.hasMail(w)).toBe(true);
      }
      expect(states()).toEqual([NOTIFIED, NOTIFIED, BUSY]);
      expect([0, 1, 2].map((w) => parking.takeMail(w))).toEqual([true, true, true]);
      expect([0, 1, 2].map((w) => parking.takeMail(w))).toEqual([false, false, false]);
    });

    it("teardown: the next thread in the place of a dead one has none", () => {
      parking.announceMail(1);
      parking.setDead(1);
      expect(parking.hasMail(1)).toBe(false);
    });
  });
});

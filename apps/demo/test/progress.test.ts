// oxlint-disable no-control-regex -- control characters are what is tested
import { expect, it, vi } from "vitest";
import { Progress, progressText } from "../src/progress.ts";

const state = {
  label: "2 threads",
  files: 1000,
  totalFiles: 4000,
  bytes: 25e6,
  totalBytes: 100e6,
  elapsedMs: 2000,
};

it("shows share, rates and the time left", () => {
  expect(progressText(state, false)).toBe(
    "2 threads   25%  1,000/4,000 files  500 files/s  13 MB/s  6.00 s left",
  );
  expect(progressText(state, true)).toContain("▕██████                  ▏");
});

it("says nothing about the time left before anything is done", () => {
  expect(progressText({ ...state, files: 0, bytes: 0, elapsedMs: 0 }, false)).toBe(
    "2 threads    0%  0/4,000 files  0 files/s  0 B/s",
  );
});

it("fills the bar at the end, also of a tree without a byte", () => {
  const done = { ...state, files: 3, totalFiles: 3, bytes: 0, totalBytes: 0 };
  expect(progressText(done, true)).toContain(`▕${"█".repeat(24)}▏  100%  3/3 files`);
});

it("redraws one line on a terminal, and takes it away at the end", () => {
  vi.useFakeTimers();
  try {
    const written: string[] = [];
    const target = { isTTY: true, columns: 40, write: (text: string) => written.push(text) };
    const progress = new Progress(target, "x", 10, 100);
    progress.advance(10);
    vi.advanceTimersByTime(250);
    progress.close();
    vi.advanceTimersByTime(1000);
    expect(written).toHaveLength(3);
    expect(written[0]).toMatch(/^\r\u001B\[2Kx {2}▕/);
    expect(written[0]!.length).toBeLessThanOrEqual("\r\u001B[2K".length + 39);
    expect(written[2]).toBe("\r\u001B[2K");
  } finally {
    vi.useRealTimers();
  }
});

it("writes a plain line every three seconds elsewhere", () => {
  vi.useFakeTimers();
  try {
    const written: string[] = [];
    const progress = new Progress({ write: (text) => written.push(text) }, "x", 10, 100);
    vi.advanceTimersByTime(6500);
    progress.close();
    expect(written).toHaveLength(2);
    expect(written.join("")).toMatch(/^(census: x [^\u001B\r]+\n){2}$/);
  } finally {
    vi.useRealTimers();
  }
});

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const entry = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);

/** In a process of its own, on the built package: a test runner makes a call of each import, for which there is no stack either. */
async function pushAtEachLevel(options: string): Promise<unknown> {
  const script = `
    import { MultiProducerConcurrentConsumer } from ${entry};
    const options = { slots: 1, maxConcurrency: 1, ${options} };
    const consumer = new MultiProducerConcurrentConsumer(options);
    const pumped = new Set();
    let batches = 0, misfits = 0;
    consumer.start((items) => {
      batches++;
      if (items.length === 0 || items.length > options.batchSize) misfits++;
      for (const item of items) pumped.add(item);
    });
    const pushed = [];
    let next = 0;
    const push = () => {
      const item = next++;
      consumer.push(item, 0);
      pushed.push(item);
    };
    // First where there is hardly any stack, then where there is enough. Frames of another size meet the end of the stack elsewhere.
    const visit = (...padding) => {
      try { return visit(...padding); } finally { push(); }
    };
    const isAll = () => pushed.every((item) => pumped.has(item));
    for (let size = 0; size < 24; size++) {
      try { visit(...new Array(size)); } catch (error) { if (!(error instanceof RangeError)) throw error; }
      while (consumer.stats().slots[0].pending > 0) {
        push();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const { failed, discarded } = await consumer.complete();
    console.log(JSON.stringify({ isAny: batches > 24, isAll: isAll(), misfits, failed, discarded }));
  `;
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: import.meta.dirname,
    timeout: 20_000,
  });
  return JSON.parse(stdout);
}

// None that sets a timer in a push: Node's own timers do not survive being set where the stack is full.
describe("after a stack overflow that somebody caught", () => {
  it.each([
    "batchSize: 1, pushIntervalMs: 5",
    "batchSize: 1, pushIntervalMs: Infinity",
    "batchSize: 3, pushIntervalMs: 0",
    "batchSize: 2, pushIntervalMs: Infinity",
  ])("what was pushed is pumped, and complete() resolves: %s", async (options) => {
    expect(await pushAtEachLevel(options)).toEqual({
      isAny: true,
      isAll: true,
      misfits: 0,
      failed: [],
      discarded: [],
    });
  });
});

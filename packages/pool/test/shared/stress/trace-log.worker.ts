/** The role of trace-log.stress.test.ts. */
import { parentPort } from "node:worker_threads";
import { TraceMemory, TraceWriter } from "../../../src/shared/trace/trace-log.ts";
import { seededRandom } from "../seeded-random.ts";
import { type Part, takePart } from "./stress.ts";

interface TraceLogData {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
}

const { buffer, capacity, stop, seed } = takePart() as TraceLogData & Part;
const random = seededRandom(seed);
const writer = new TraceWriter(new TraceMemory(capacity, buffer));

/** Ends count up, and so do starts; everything else in a record follows from its start. */
function write(): number {
  let ended = 0;
  let started = 0;
  for (let names = 0; Atomics.load(stop, 0) === 0;) {
    if (names < 100) writer.name(`name ${names++}`);
    const depth = Math.floor(random() * 4);
    for (let i = 0; i < depth; i++) {
      const start = ++started;
      writer.open(start, start, 2 * start, -start);
    }
    for (let i = 0; i < depth; i++) writer.close(++ended, 0);
    const start = ++started;
    writer.record(start, ++ended, start, 2 * start, -start);
  }
  return ended;
}

parentPort!.postMessage(write());

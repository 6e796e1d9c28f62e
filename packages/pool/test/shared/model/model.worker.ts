/** A thread of a model test: the code under test over stepped atomics, one program after the other. */
import { registerHooks } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { Layout } from "../../../src/shared/layout.ts";
import {
  announce,
  ARGUMENTS,
  awaitChange,
  DONE,
  ERROR_TEXT,
  FAILED,
  LOG,
  neverLook,
  PROGRAM,
  RUNNING,
  STATUS,
  threadBase,
} from "./handshake.ts";
import type { Program } from "./programs.ts";
import { beginProgram, connect, killed } from "./stepped-atomics.ts";

export interface ModelThreadData {
  readonly handshake: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly trace: SharedArrayBuffer;
  readonly layout: Layout;
  readonly thread: number;
  readonly onOneCore: boolean;
}

const data = workerData as ModelThreadData;
const handshake = new Int32Array(data.handshake);
const control = new Int32Array(data.control);
const base = threadBase(data.thread);
const stepped = new URL("./stepped-atomics.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    return resolved.url.endsWith("/src/shared/atomics.ts") ? { ...resolved, url: stepped } : resolved;
  },
});
if (data.onOneCore) neverLook();
connect(handshake, control, data.thread);
const { programs } = await import("./programs.ts");
const list = Object.values(programs);

parentPort!.postMessage("ready");
let status = DONE;
for (;;) {
  while (awaitChange(handshake, base + STATUS, status) !== RUNNING);
  status = run();
  announce(handshake, base + STATUS, status);
}

function run(): number {
  beginProgram();
  handshake[base + LOG] = 0;
  const start = base + ARGUMENTS;
  const args = [...handshake.subarray(start + 1, start + 1 + handshake[start]!)];
  try {
    (list[handshake[base + PROGRAM]!] as Program)(
      {
        control,
        slotsBuffer: data.slots,
        traceBuffer: data.trace,
        layout: data.layout,
        thread: data.thread,
        log(...values) {
          for (const value of values) handshake[base + LOG + ++handshake[base + LOG]!] = value;
        },
      },
      ...args,
    );
    return DONE;
  } catch (error) {
    if (error === killed) return DONE;
    const text = String((error as Error).stack).slice(0, 400);
    handshake[base + ERROR_TEXT] = text.length;
    for (let i = 0; i < text.length; i++) handshake[base + ERROR_TEXT + 1 + i] = text.charCodeAt(i);
    return FAILED;
  }
}

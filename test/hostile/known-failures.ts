/**
 * Rows of the matrix that fail today, and why. One that passes fails the test until it is taken from here.
 */
const FRAMES = "the engine sets Error.stackTraceLimit and calls Error.captureStackTrace as they are";
const PRELOAD = "a preload that makes a pool makes one in each thread, without end";
const INHERITED = "options and messages are read through polluted prototypes";
const JSON_TEXT =
  "descriptions of functions are written by JSON.stringify as it is, so that toJSON of others changes them";
const ASSIGNED = "properties of results are assigned, not defined";
const TIMERS = "the engine takes timers that others have replaced";
const INPUT_TYPE = "threads inherit --input-type, which Node refuses for their entry";
const COPIES = "two copies of a package do not know each other";
const STACKS = "the engine reads stacks that others have formatted";
const GLOBALS = "the engine uses globals as they are";

export const knownFailures: Readonly<Record<string, string>> = {
  "Error is frozen, before Skein is loaded": FRAMES,
  "Error is frozen, later": FRAMES,
  "Error is frozen, on the threads": FRAMES,
  "NODE_OPTIONS with a preload that makes a pool": PRELOAD,
  "Object.prototype has names of messages, later": INHERITED,
  "Object.prototype has options of Worker, before Skein is loaded": INHERITED,
  "Object.prototype has options of Worker, later": INHERITED,
  "Object.prototype has options of ours, before Skein is loaded": INHERITED,
  "Object.prototype has toJSON, before Skein is loaded": JSON_TEXT,
  "Object.prototype has toJSON, later": JSON_TEXT,
  "Object.prototype has toJSON, on the threads": JSON_TEXT,
  "Object.prototype is frozen, before Skein is loaded": ASSIGNED,
  "Object.prototype is frozen, later": ASSIGNED,
  "Object.prototype is frozen, on the threads": ASSIGNED,
  "a preload that makes a pool": PRELOAD,
  "all intrinsics are frozen, before Skein is loaded": FRAMES,
  "all intrinsics are frozen, later": FRAMES,
  "all intrinsics are frozen, on the threads": FRAMES,
  "captureStackTrace is gone, before Skein is loaded": FRAMES,
  "captureStackTrace is gone, later": FRAMES,
  "captureStackTrace is gone, on the threads": FRAMES,
  "fake timers: all of them, before Skein is loaded": TIMERS,
  "fake timers: all of them, later": TIMERS,
  "fake timers: all of them, on the threads": TIMERS,
  "fake timers: node:timers too, later": TIMERS,
  "fake timers: node:timers too, on the threads": TIMERS,
  "fake timers: setImmediate alone, later": TIMERS,
  "fake timers: setImmediate alone, on the threads": TIMERS,
  "mock.timers of node:test, later": TIMERS,
  "mock.timers of node:test, on the threads": TIMERS,
  "node --frozen-intrinsics": FRAMES,
  "node --input-type=commonjs -e": INPUT_TYPE,
  "node --input-type=module -e": INPUT_TYPE,
  "node --input-type=module, from stdin": INPUT_TYPE,
  "node --preserve-symlinks": COPIES,
  "prepareStackTrace returns a number, later": STACKS,
  "prepareStackTrace returns call sites, before Skein is loaded": STACKS,
  "prepareStackTrace returns call sites, later": STACKS,
  "prepareStackTrace returns nothing, later": STACKS,
  "prepareStackTrace returns null, later": STACKS,
  "prepareStackTrace throws, before Skein is loaded": STACKS,
  "prepareStackTrace throws, later": STACKS,
  "stackTraceLimit is read-only, before Skein is loaded": FRAMES,
  "stackTraceLimit is read-only, later": FRAMES,
  "stackTraceLimit is read-only, on the threads": FRAMES,
  "stackTraceLimit refuses to be set, later": FRAMES,
  "stackTraceLimit refuses to be set, on the threads": FRAMES,
  "structuredClone, performance, queueMicrotask are gone, before Skein is loaded": GLOBALS,
  "structuredClone, performance, queueMicrotask are gone, later": GLOBALS,
  "structuredClone, performance, queueMicrotask are gone, on the threads": GLOBALS,
  "timers are numbers, before Skein is loaded": TIMERS,
  "timers are numbers, later": TIMERS,
  "timers are numbers, on the threads": TIMERS,
};

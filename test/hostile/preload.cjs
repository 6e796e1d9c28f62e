"use strict";
// Instrumentation that wraps what everybody uses.
const timers = require("node:timers");
for (const name of ["setTimeout", "setImmediate"]) {
  const original = timers[name];
  globalThis[name] = timers[name] = function wrapped(callback, ...rest) {
    return original.call(this, (...args) => callback(...args), ...rest);
  };
}

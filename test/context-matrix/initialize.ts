import { see } from "./ambient.ts";

Object.assign(globalThis, { seenAtInitialize: see() });

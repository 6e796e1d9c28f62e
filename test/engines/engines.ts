/** The engines that the conformance suite runs on: each has one thread, which takes one job at a time. */
import { type JobEngine, ThreadPool } from "@skein/pool";
import { type EngineCapabilities, everyCapability } from "@skein/pool/engine";
import { PiscinaEngine } from "@skein/piscina/engine";
import { InlineEngine } from "@skein/pool/inline";
import { ProcessPool } from "@skein/pool/process";
import { Piscina } from "piscina";
import { eventually } from "../support/eventually.ts";
import { endPiscina } from "./end-piscina.ts";
import { WorkerEngine } from "./worker-engine.ts";

export interface EngineUnderTest {
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  readonly start: () => EngineStarted;
}

export interface EngineStarted {
  readonly engine: JobEngine;
  readonly end: () => PromiseLike<void>;
  /** Where jobs wait in a store, or in another process: resolves when none does, that is, when what was given up has been withdrawn. */
  readonly withdrawn?: () => PromiseLike<void>;
}

const all = everyCapability;

export const engines: readonly EngineUnderTest[] = [
  {
    name: "InlineEngine",
    capabilities: {
      ...all,
      parallel: false,
      terminate: false,
      exclusive: false,
      placement: false,
      timeline: false,
    },
    start() {
      const engine = new InlineEngine();
      return { engine, end: () => engine.close() };
    },
  },
  {
    name: "ThreadPool",
    capabilities: all,
    start() {
      const engine = new ThreadPool({ maxThreads: 1 });
      return { engine, end: () => engine.close() };
    },
  },
  {
    name: "PiscinaEngine",
    capabilities: {
      ...all,
      priorities: false,
      placement: false,
      broadcast: false,
      streams: false,
      streamArguments: false,
      timeline: false,
    },
    start() {
      const piscina = new Piscina({ maxThreads: 1 });
      const engine = new PiscinaEngine(piscina);
      return { engine, end: () => endPiscina(piscina) };
    },
  },
  {
    name: "ProcessPool",
    capabilities: {
      ...all,
      sharedMemory: false,
      transfer: false,
      placement: false,
      forkJoin: false,
      streams: false,
      streamArguments: false,
      timeline: false,
    },
    start() {
      const engine = new ProcessPool({ maxThreads: 1 });
      return {
        engine,
        end: () => engine.close(),
        async withdrawn() {
          await eventually("no job waits", () => engine.stats().queued.normal === 0);
        },
      };
    },
  },
  {
    name: "WorkerEngine",
    capabilities: {
      ...all,
      priorities: false,
      terminate: false,
      exclusive: false,
      placement: false,
      broadcast: false,
      streams: false,
      streamArguments: false,
      timeline: false,
    },
    start() {
      const engine = new WorkerEngine();
      return { engine, end: () => engine.end() };
    },
  },
];

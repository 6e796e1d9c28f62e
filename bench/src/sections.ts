/** All sections, in the order of the report. Each is loaded only when it is run or reported. */
import type { Section } from "./method/scenario.ts";

export const sections: Readonly<Record<string, () => Promise<Section>>> = {
  "pool-throughput": async () => (await import("./pool/throughput.ts")).throughput,
  "fresh-bursts": async () => (await import("./pool/fresh-bursts.ts")).freshBursts,
  payloads: async () => (await import("./pool/payloads.ts")).payloads,
  durations: async () => (await import("./pool/durations.ts")).durations,
  "blocked-main": async () => (await import("./pool/blocked-main.ts")).blockedMain,
  queued: async () => (await import("./pool/queued.ts")).queued,
  "cold-start": async () => (await import("./pool/cold-start.ts")).coldStart,
  memory: async () => (await import("./pool/memory.ts")).memory,
  processes: async () => (await import("./pool/processes.ts")).processes,
  context: async () => (await import("./pool/context.ts")).context,
  "fork-join": async () => (await import("./pool/fork-join.ts")).forkJoin,
  "real-work": async () => (await import("./pool/real-work.ts")).realWork,
  "piscina-class": async () => (await import("./pool/piscina-class.ts")).piscinaSwap,
  service: async () => (await import("./service/section.ts")).service,
  scheduling: async () => (await import("./primitives/scheduling.ts")).scheduling,
  "context-primitives": async () => (await import("./primitives/context.ts")).contextPrimitives,
  batching: async () => (await import("./primitives/batching.ts")).batching,
};

/** @throws RangeError when there is none of this name. */
export async function loadSection(name: string): Promise<Section> {
  const load = Object.hasOwn(sections, name) ? sections[name] : undefined;
  if (load === undefined) {
    throw new RangeError(`Unknown section "${name}"; there are ${Object.keys(sections).join(", ")}`);
  }
  return load();
}

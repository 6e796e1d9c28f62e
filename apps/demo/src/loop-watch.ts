/** How late the event loop of this thread is while a scan runs: in all, under each policy, and as a strip to look at. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { delayLevel } from "./delay-level.ts";
import { POLICIES } from "./options.ts";
import type { Policy } from "./options.ts";

export type Monitor = ReturnType<typeof monitorEventLoopDelay>;

export interface LoopRecord {
  readonly policy: Policy;
  /** In milliseconds. */
  readonly delayP99Ms: number;
  /** The greatest delay of each sample, in milliseconds. */
  readonly samples: readonly number[];
}

const RESOLUTION_MS = 1;
const SAMPLE_MS = 100;
const NANOSECONDS_PER_MS = 1e6;
const NAME_WIDTH = Math.max(...POLICIES.map((policy) => policy.length));
const LEVELS = "▁▂▃▄▅▆▇█";

export class LoopWatch {
  readonly #all = startMonitor();
  readonly #sample = startMonitor();
  readonly #timer: NodeJS.Timeout;
  readonly #records: LoopRecord[] = [];
  #current: {
    readonly policy: Policy;
    readonly delay: Monitor;
    readonly samples: number[];
  } | null = null;

  constructor() {
    this.#timer = setInterval(() => {
      this.#current?.samples.push(lateness(this.#sample.max));
      this.#sample.reset();
    }, SAMPLE_MS);
    this.#timer.unref();
  }

  /** From now on results continue under this policy. */
  enter(policy: Policy): void {
    // Around the change results of both come in, in any order.
    if (policy === this.#current?.policy || this.#records.some((record) => record.policy === policy)) return;
    this.#leave();
    this.#current = { policy, delay: startMonitor(), samples: [] };
  }

  stop(): void {
    this.#leave();
    clearInterval(this.#timer);
    this.#all.disable();
    this.#sample.disable();
  }

  /** The 99th percentile over the whole scan. */
  get delayP99Ms(): number {
    return lateness(this.#all.percentile(99));
  }

  /** In the order in which they were entered. */
  get records(): readonly LoopRecord[] {
    return this.#records;
  }

  /** The policy of the moment, and the newest samples. */
  drawNow(width: number): string {
    if (this.#current === null) return "";
    const { policy, samples } = this.#current;
    return `${policy.padEnd(NAME_WIDTH)} ${drawSamples(samples.slice(-width), width).padEnd(width)}`;
  }

  #leave(): void {
    if (this.#current === null) return;
    const { policy, delay, samples } = this.#current;
    delay.disable();
    if (samples.length === 0) samples.push(lateness(this.#sample.max));
    this.#records.push({ policy, delayP99Ms: lateness(delay.percentile(99)), samples });
    this.#current = null;
  }
}

/** A column per sample, or for the latest of several: from below a millisecond to above 64. */
export function drawSamples(samples: readonly number[], width: number): string {
  const perColumn = Math.max(1, Math.ceil(samples.length / width));
  let strip = "";
  for (let start = 0; start < samples.length; start += perColumn) {
    const latest = Math.max(...samples.slice(start, start + perColumn));
    strip += LEVELS[delayLevel(latest)]!;
  }
  return strip;
}

export function startMonitor(): Monitor {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  return monitor;
}

/** In milliseconds. The monitor's timer fires every RESOLUTION_MS when nothing is late. */
export function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS_PER_MS - RESOLUTION_MS);
}

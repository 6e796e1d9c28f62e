/** A scenario whose contenders are the ways of one module, each in a process of its own. */
import type { Contender, Kind, Metric, Sample, Scale, Scenario } from "../method/scenario.ts";
import { AskedProcess } from "../service/asked-process.ts";
import type { WayModule, WayQuestion } from "./way-process.ts";

/** The names of the ways of a module. */
export type WaysOf<M extends WayModule> = Extract<keyof ReturnType<M["rounds"]>, string>;

export interface Way {
  readonly kind: Kind;
  readonly product: string;
  /** What the code looks like. */
  readonly code: string;
}

export interface Table<K extends string> {
  /** Also that of the module's file, in `ways`. */
  readonly name: string;
  readonly title: string;
  /** In the order of the table. */
  readonly ways: Readonly<Record<K, Way>>;
  /** Time and bytes of an operation, if left out. */
  readonly metrics?: readonly Metric[];
}

const cost: readonly Metric[] = [
  { key: "ns", title: "time", unit: "ns", better: "lower" },
  { key: "bytes", title: "allocated", unit: "bytes", better: "lower" },
];

/** No collection may fall into a loop whose bytes are counted. */
const FLAGS = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];
const QUICK_DIVISOR = 10;

export function table<M extends WayModule>(scale: Scale, described: Table<WaysOf<M>>): Scenario {
  const { name, title, metrics = cost } = described;
  const url = new URL(`ways/${name}.ts`, import.meta.url);
  const contenders = Object.entries<Way>(described.ways).map(([way, { kind, product, code }]): Contender => ({
    name: way,
    kind,
    product,
    configuration: code,
    async open() {
      const divisor = scale.pick(1, QUICK_DIVISOR);
      const { process: own } = await AskedProcess.start<WayQuestion, { round: Sample; stop: null }>(
        new URL("way-process.ts", import.meta.url),
        [url.href, way, String(divisor)],
        FLAGS,
      );
      return { round: () => own.ask({ ask: "round" }), close: () => own.stop() };
    },
  }));
  return { name, title, metrics, regression: true, contenders };
}

/** What is written beside a way, for the products that come up again and again. */
export const skein = (code: string): Way => ({ kind: "skein", product: "skein", code });
export const native = (code: string): Way => ({ kind: "native", product: "Node.js", code });
export const reference = (code: string): Way => ({ kind: "reference", product: "reference", code });
export const peer = (product: string, code: string): Way => ({ kind: "peer", product, code });

/** What the processes say to each other. Each question gets one answer; the first message of a process needs no question. */

export type ServerQuestion =
  | { readonly ask: "begin" }
  | { readonly ask: "measured" }
  | { readonly ask: "stop" };

export interface ServerAnswers {
  readonly begin: null;
  readonly measured: ServerMeasured;
  readonly stop: null;
}

/** What the server has seen since "begin"; told when no request is under way any more. */
export interface ServerMeasured {
  /** How much later than due the event loop ran a timer of one millisecond. */
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  /** CPU time of all threads of the server. */
  readonly cpuMs: number;
}

export interface ConstantRatePlan {
  readonly port: number;
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface SaturationPlan {
  readonly port: number;
  readonly requests: number;
  readonly connections: number;
}

export type LoadQuestion =
  | { readonly ask: "constantRate"; readonly plan: ConstantRatePlan }
  | { readonly ask: "saturation"; readonly plan: SaturationPlan }
  | { readonly ask: "stop" };

export interface LoadAnswers {
  readonly constantRate: ConstantRateOutcome;
  readonly saturation: SaturationOutcome;
  readonly stop: null;
}

/** Whose reply was wrong, and how. */
export interface Faults {
  /** Replies with another correlation id than their request's. */
  readonly mismatches: number;
  /** Requests that failed, or whose reply held something else that is wrong. */
  readonly errors: number;
  readonly firstError: string | null;
}

export interface ConstantRateOutcome extends Faults {
  /** From the moment at which a request was due, whenever it was sent. */
  readonly lightMs: readonly number[];
  readonly heavyMs: readonly number[];
  /** How much later than due requests were handed to the HTTP client. */
  readonly latenessMs: readonly number[];
}

export interface SaturationOutcome extends Faults {
  readonly replies: number;
  readonly elapsedMs: number;
}

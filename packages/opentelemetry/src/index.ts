export { instrument, type InstrumentOptions } from "./instrument.ts";
export { instrumentMetrics, type InstrumentMetricsOptions } from "./instrument-metrics.ts";
export type { MeasuredPool, PoolMetricsOptions } from "./pool-metrics.ts";

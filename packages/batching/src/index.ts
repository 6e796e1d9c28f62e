export type { TracedBatch } from "./batch-tracing.ts";
export { MultiProducerConcurrentConsumer } from "./consumer.ts";
export type { BatchingStats, CompleteOptions, CompletionReport } from "./consumer.ts";
export { contextOf } from "./context-of.ts";
export {
  BatchesFailedError,
  CapacityExceededError,
  InvalidOperationError,
  ItemTooLargeError,
  NotCloneableError,
} from "./errors.ts";
export type { BatchingOptions, FailureVerdict } from "./options.ts";
export type { FailedBatch, Pump } from "./pump.ts";
export { SharedProducer } from "./shared-producer.ts";
export type { ProducerHandle } from "./shared-producer.ts";

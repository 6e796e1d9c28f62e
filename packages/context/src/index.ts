export { AsyncFlowControl } from "./async-flow-control.ts";
export { AsyncLocal } from "./async-local.ts";
export type { AsyncLocalOptions } from "./async-local.ts";
export { AsyncScope } from "./async-scope.ts";
export { AsyncVariable } from "./async-variable.ts";
export type { AsyncVariableOptions } from "./async-variable.ts";
export { CarriedScope } from "./carried-scope.ts";
export { readCarrier } from "./carrier-text.ts";
export type { CarrierReach, ContextCarrier, WrittenEntry } from "./carrier-text.ts";
export {
  ContextEncodeError,
  ContextTooLargeError,
  DuplicateNameError,
  InvalidCarrierError,
} from "./context-errors.ts";
export { joinCopies } from "./copies.ts";
export type { SharedPart } from "./copies.ts";
export type { ContextCodec, ContextFlow, ValueChange } from "./context-key.ts";
export { InvalidOperationError, SkeinError } from "./errors.ts";
export { ExecutionContext } from "./execution-context.ts";
export { flow } from "./flow.ts";
export type { CustomFlowOptions, FlowOptions } from "./flow.ts";
export { flows, readFlows } from "./registered-flows.ts";
export { setThreadFields } from "./line-fields.ts";
export { setRunGuard } from "./ambient.ts";
export type { RunGuard } from "./ambient.ts";
export { Snapshot } from "./snapshot.ts";

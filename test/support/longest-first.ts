/** The order of the test files: what takes longest begins first, so that nothing runs alone at the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** In the order of their processor time, or of how long they wait, as far as these exceed three seconds; the others follow in any order. */
const LONG: readonly RegExp[] = [
  /\/hostile\/matrix\./,
  /\/test\/docs\//,
  /\/message-completion\./,
  /\/context-matrix\//,
  /\/demo\/test\/(?:cli|tour)\./,
  /\/conformance\./,
  /\/cluster\/test\/(?:delivery|cluster|embedded|kill)\./,
  /\/unplugin\/test\/bundles\./,
  /\/(?:parking|mailbox|job-queues|orphaned-slots)\.model\./,
  /\/(?:thread-pool|function-registry|transfer|terminate|crash|crash-matrix|module-loading|failed-module|thread-flags)\.test/,
  /\/(?:simulation|fuzz|soak|row-store|memory|closing|nested|recycling|placement|map|process-pool|page)\.test/,
  /\/(?:unobserved-fault|hostile-globals|uncaught-errors|terminated-threads|leaks|examples)\./,
];

function rank({ moduleId }: TestSpecification): number {
  const index = LONG.findIndex((pattern) => pattern.test(moduleId));
  return index === -1 ? LONG.length : index;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- not of an array
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

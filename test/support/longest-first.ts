/** The order of the test files: what takes longest begins first, so that nothing runs alone at the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** In the order of their time on two cores, as far as it exceeds ten seconds; the others follow in any order. */
const LONG: readonly RegExp[] = [
  /\/hostile\/matrix\./,
  /\.model\./,
  /\/context-matrix\//,
  /\/message-completion\./,
  /\/simulation\./,
  /\/unplugin\/test\/bundles\./,
  /\/test\/docs\//,
  /\/demo\/test\/(?:cli|row-store)\./,
  /\/pool\/memory\./,
  /\/(?:thread-pool|function-registry|transfer|terminate|crash|crash-matrix|closing|failed-module|module-loading|nested|map)\.test/,
  /\/(?:unobserved-fault|hostile-globals|uncaught-errors|terminated-threads)\./,
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

/** Where a job handle's function lives. Under a registered symbol: a handle of another pool, or of another copy of this package, is one too. */

export interface JobSource {
  readonly url: string;
  readonly name: string;
}

export const jobSource: unique symbol = Symbol.for("skein.job-source");

/** Of a job handle; undefined for any other function. */
export function sourceOfHandle(fn: object): JobSource | undefined {
  return Object.hasOwn(fn, jobSource) ? (fn as { readonly [jobSource]: JobSource })[jobSource] : undefined;
}

/**
 * Who a log line belongs to: the scan, and within it the file. Both flow into pool threads and worker processes with every job, so what runs
 * there reads them from here and nobody passes them on.
 */
import { AsyncLocal } from "@skein/context";

export const scanId: AsyncLocal<string> = new AsyncLocal<string>({ name: "census.scan", flow: "wire" });
export const fileId: AsyncLocal<string> = new AsyncLocal<string>({ name: "census.file", flow: "wire" });

/** The id of the file at `index` of the scan: the same in every run that is given the same scan id. */
export function childId(scan: string, index: number): string {
  return `${scan}/${String(index + 1).padStart(6, "0")}`;
}

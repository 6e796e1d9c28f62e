import type { Census } from "./census.ts";
import type { RunInfo } from "./json.ts";
export function renderPage(_census: Census, _run: RunInfo): string {
  return "";
}

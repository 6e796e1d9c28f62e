import { see, type Seen } from "./ambient.ts";

const seen = see();
export function atLoad(): Seen {
  return seen;
}

/** What the process of a build is asked, and answers: one contender at a time, one answer per request, in order. */
import type { Sample, Scale } from "../method/scenario.ts";

export type Request =
  | {
      readonly ask: "open";
      readonly section: string;
      readonly scenario: string;
      readonly contender: string;
      readonly mode: Scale["mode"];
    }
  | { readonly ask: "round" }
  | { readonly ask: "close" };

export type Answer =
  | { readonly ok: true; readonly sample: Sample | null }
  | { readonly ok: false; readonly error: string };

/** All sections, in the order of the report. Each is loaded only when it is run or reported. */
import type { Section } from "./method/scenario.ts";

export const sections: Readonly<Record<string, () => Promise<Section>>> = {
  service: async () => (await import("./service/section.ts")).service,
};

export async function loadSection(name: string): Promise<Section> {
  const load = Object.hasOwn(sections, name) ? sections[name] : undefined;
  if (load === undefined) {
    throw new RangeError(`Unknown section "${name}"; there are ${Object.keys(sections).join(", ")}`);
  }
  return load();
}

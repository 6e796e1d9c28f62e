/** The time axis: round steps, about so many pixels apart. */
const STEP_PIXELS = 110;

export interface Tick {
  readonly timeUs: number;
  readonly label: string;
}

export function ticksOf(startUs: number, endUs: number, width: number): Tick[] {
  const step = roundStep(((endUs - startUs) * STEP_PIXELS) / Math.max(1, width));
  const ticks: Tick[] = [];
  for (let time = Math.max(0, Math.ceil(startUs / step) * step); time <= endUs; time += step)
    ticks.push({ timeUs: time, label: labelOf(time, step) });
  return ticks;
}

/** 1, 2 or 5 of a power of ten, at least so many. */
function roundStep(us: number): number {
  const power = 10 ** Math.floor(Math.log10(us));
  return ([1, 2, 5, 10].find((times) => times * power >= us) ?? 10) * power;
}

/** Since the recording began. */
function labelOf(us: number, step: number): string {
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step / 1e6) + 1e-9)));
  return `${(us / 1e6).toFixed(decimals)} s`;
}

/** The job. Rates come from elsewhere, and are not always there. */
export const rates = { missing: 0, perKilo: { tea: 42, coffee: 17 } as Record<string, number> };

export function priceOf(item: string, kilos: number): number {
  if (rates.missing > 0) {
    rates.missing--;
    throw new Error("the rates are not there yet");
  }
  const rate = rates.perKilo[item];
  if (rate === undefined) throw new RangeError(`nobody sells ${item}`);
  return rate * kilos;
}

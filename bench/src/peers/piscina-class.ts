/** The class Piscina of ours: a program that swaps the one for the other calls the same methods. */
import { Piscina } from "@skein/piscina";
import { type PiscinaSettings, productOf } from "./piscina.ts";
import type { Product } from "./product.ts";

export function piscinaClass(settings: PiscinaSettings = {}): Product {
  // The task file for Piscina imports Piscina's `move`; nothing is moved here.
  return productOf((options) => new Piscina(options), "@skein/piscina", "work", settings);
}

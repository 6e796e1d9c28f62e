import { flowStorages, storages } from "./carried.ts";

flowStorages(storages.length);

export function echo(value: number): number {
  return value;
}

import { carriedIdOf } from "../codec/carried.ts";
import type { Arenas } from "../shared/arenas.ts";
import { INLINE } from "../shared/slot-fields.ts";
import { type SlotTable } from "../shared/slot.ts";

/** The number of what the payload in `slot` leaves to be carried; 0: nothing. For the owner of the payload (slot.ts I2). */
export function carriedInSlot(slots: SlotTable, arenas: Arenas, slot: number): number {
  const length = slots.payloadLength(slot);
  const arena = slots.payloadArena(slot);
  if (arena === INLINE) return carriedIdOf(slots.bytes, slots.inlineOffset(slot), length);
  const block = slots.payloadBlock(slot);
  return carriedIdOf(arenas.bytes(arena, block, length), block * 8, length);
}

/**
 * The outcomes that threads have left in the slots of one submitter. What an outcome carries by message comes to a pool thread over the host, and
 * may come later than the slot: such an outcome waits here.
 */
import type { Decoder } from "../codec/decoder.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { INLINE } from "../shared/slot-fields.ts";
import { carriedInSlot } from "../transfer/carried-in-slot.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";

export interface SlotOutcomesParts {
  readonly memory: PoolMemory;
  readonly arenas: Arenas;
  readonly carried: CarriedValues;
  readonly decoder: Decoder;
}

export class SlotOutcomes {
  readonly #parts: SlotOutcomesParts;
  /** Slots by what their outcome waits for, which the host has yet to pass on to this thread. */
  readonly #waiting = new Map<number, number[]>();
  /** Slots whose jobs have reported what may not be here yet, by number. */
  readonly #held = new Map<number, number>();
  #nextHeld = 1;
  /** Of all these, the slots that can be read now. */
  readonly #arrived: number[] = [];

  constructor(parts: SlotOutcomesParts) {
    this.#parts = parts;
  }

  /** Of a slot that is DONE. @throws NotArrived, and what decoding throws. */
  read(slot: number): unknown {
    const { memory, decoder, arenas } = this.#parts;
    const { slots } = memory;
    const length = slots.payloadLength(slot);
    const arena = slots.payloadArena(slot);
    if (arena === INLINE) return decoder.decode(slots.bytes, slots.inlineOffset(slot), length);
    const block = slots.payloadBlock(slot);
    return decoder.decode(arenas.bytes(arena, block, length), block * 8, length);
  }

  /** Its memory is the thread's again that wrote it. */
  giveBack(slot: number): void {
    const { memory, arenas } = this.#parts;
    const arena = memory.slots.payloadArena(slot);
    if (arena !== INLINE) arenas.giveBack(arena, memory.slots.payloadBlock(slot));
  }

  /** Nobody wants it: given back, with what it carries. */
  drop(slot: number): void {
    const { memory, arenas, carried } = this.#parts;
    const id = carriedInSlot(memory.slots, arenas, slot);
    if (id !== 0) {
      this.forget(slot);
      carried.dropWhenHere(id);
    }
    this.giveBack(slot);
  }

  /** Reading has thrown NotArrived with this id: `takeArrived` gives the slot when that has come. */
  wait(id: number, slot: number): void {
    const others = this.#waiting.get(id);
    if (others === undefined) this.#waiting.set(id, [slot]);
    else others.push(slot);
  }

  /** What its job has reported may not be here yet. @returns a number for `told`. */
  hold(slot: number): number {
    const id = this.#nextHeld++;
    this.#held.set(id, slot);
    return id;
  }

  /** All that was reported before `hold` is here. @returns whether an outcome has waited for it. */
  told(id: number): boolean {
    const slot = this.#held.get(id);
    if (slot === undefined) return false;
    this.#held.delete(id);
    this.#arrived.push(slot);
    return true;
  }

  /** It does not wait any more. */
  forget(slot: number): void {
    for (const [id, held] of this.#held) if (held === slot) this.#held.delete(id);
    for (const [id, slots] of this.#waiting) {
      if (!slots.includes(slot)) continue;
      if (slots.length === 1) this.#waiting.delete(id);
      else slots.splice(slots.indexOf(slot), 1);
    }
  }

  /** What has this id is here. @returns whether outcomes have waited for it. */
  arrived(id: number): boolean {
    const slots = this.#waiting.get(id);
    if (slots === undefined) return false;
    this.#waiting.delete(id);
    this.#arrived.push(...slots);
    return true;
  }

  /** A slot whose outcome was waiting, and can be read now. */
  takeArrived(): number | undefined {
    return this.#arrived.length === 0 ? undefined : this.#arrived.shift();
  }

  get areWaiting(): boolean {
    return this.#waiting.size + this.#held.size > 0;
  }
}

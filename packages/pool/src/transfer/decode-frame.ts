import type { Decoder } from "../codec/decoder.ts";
import type { Arenas } from "../shared/arenas.ts";
import { BYTES, NUMBER, type StreamReader } from "../shared/stream-ring.ts";

/**
 * The value of the frame that `ring` has found, which is not consumed.
 * @param bytes The buffer in which the ring lies.
 * @throws what `decode` throws, NotArrived included.
 */
export function decodeFrame(
  ring: StreamReader,
  bytes: Uint8Array,
  arenas: Arenas,
  decoder: Decoder,
): unknown {
  const kind = ring.peek();
  if (kind === NUMBER) return ring.number;
  const { length, arena, block } = ring;
  if (kind === BYTES) return decoder.decode(bytes, ring.start, length);
  return decoder.decode(arenas.bytes(arena, block, length), block * 8, length);
}

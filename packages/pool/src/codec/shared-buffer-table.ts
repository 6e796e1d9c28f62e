/**
 * SharedArrayBuffers travel by number: the memory is announced to every thread once, and named by its id afterwards.
 * The codec only needs the two look-ups.
 */
export interface SharedBufferTable {
  /** The id of `buffer`, known to every thread that will decode it; registers the buffer when it is new. */
  idOf(buffer: SharedArrayBuffer): number;
  /** The buffer of `id`: the same object for the same id, every time. Throws when the id is unknown. */
  fromId(id: number): SharedArrayBuffer;
}

/** What `v8.serialize` has written, read so that each typed array, DataView and Buffer has memory of its own. */
import { Buffer } from "node:buffer";
import type V8 from "node:v8";
import { apply } from "./intrinsics.ts";

const { process } = globalThis;

type View = NodeJS.ArrayBufferView<ArrayBuffer>;

/** A part of Node's interface that its types lack: reads a view. */
interface ViewReader extends V8.Deserializer {
  _readHostObject(): View;
}
type Reader = new (bytes: Uint8Array) => ViewReader;

const getBuiltinModule = process.getBuiltinModule.bind(process);
const isBuffer = Buffer.isBuffer.bind(Buffer);
const bufferOf = Buffer.from.bind(Buffer) as (memory: ArrayBuffer) => View;
// oxlint-disable-next-line typescript/unbound-method -- applied to a buffer
const { slice } = ArrayBuffer.prototype;

/** Not before it is needed: most programs never load `node:v8`. */
let reader: Reader | null = null;

function newReader(): Reader {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- documented by Node
  const Default = getBuiltinModule("node:v8").DefaultDeserializer as unknown as Reader;
  return class extends Default {
    /** Node gives a view of the bytes that are read, or of the memory that small Buffers share. Whoever gets it would see, and keep, all of that. */
    override _readHostObject(): View {
      const view = super._readHostObject();
      const { buffer, byteOffset, byteLength } = view;
      const memory = apply(slice, buffer, [byteOffset, byteOffset + byteLength]);
      if (isBuffer(view)) return bufferOf(memory);
      return new (view.constructor as new (memory: ArrayBuffer) => View)(memory);
    }
  };
}

/**
 * As `v8.deserialize`, but for memory: views that shared theirs have a copy each.
 * @throws if `v8.serialize` has not written `bytes`.
 */
export function deserialize(bytes: Uint8Array): unknown {
  reader ??= newReader();
  const from = new reader(bytes);
  from.readHeader();
  return from.readValue() as unknown;
}

import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { inheriting } from "../inherited.ts";
import { decodeValue, type EncodedValue, encodeValue } from "../../src/engine.ts";

/** By a port, as engines send it. */
function posted(value: unknown, transfer?: ArrayBuffer[]): unknown {
  const { port1, port2 } = new MessageChannel();
  const sent = encodeValue(value, "args", { transfer });
  port1.postMessage(sent.value, sent.transfer);
  const { message } = receiveMessageOnPort(port2) as { message: EncodedValue };
  port1.close();
  return decodeValue(message);
}

describe("encodeValue", () => {
  it("gives bytes alone where bytes say all", () => {
    const { value, transfer } = encodeValue([1, "two", { three: [3] }], "args");
    expect([value.carried, value.shared, transfer]).toEqual([null, null, []]);
    expect(decodeValue({ ...value, bytes: Buffer.from(value.bytes) })).toEqual([1, "two", { three: [3] }]);
  });

  it("names the SharedArrayBuffers that the bytes leave out", () => {
    const shared = new SharedArrayBuffer(4);
    const { value } = encodeValue([shared, new Int32Array(shared), new SharedArrayBuffer(8)], "args");
    expect(value.shared).toHaveLength(2);
    const [buffer, words] = decodeValue(value) as [SharedArrayBuffer, Int32Array];
    expect(words.buffer).toBe(buffer);
  });

  it.each([10, 100_000])("moves %i bytes at once", (length) => {
    const bytes = new Uint8Array(length).fill(1);
    expect(posted([bytes], [bytes.buffer])).toEqual([new Uint8Array(length).fill(1)]);
    expect(bytes.buffer.detached).toBe(true);
  });

  it("moves, and restricts to bytes, only what its own options say", async () => {
    const bytes = new Uint8Array([1]);
    const inherited = { bytesOnly: true, transfer: [bytes.buffer], beforeDetaching: "nothing" };
    expect(inheriting(inherited, () => posted([bytes]))).toEqual([bytes]);
    expect(bytes.buffer.detached).toBe(false);
  });

  it("carries what only a message can carry", async () => {
    const [blob] = posted([new Blob(["text"])]) as [Blob];
    expect(await blob.text()).toBe("text");
  });

  it("detaches nothing when it is refused, by a value or by the engine", () => {
    const bytes = new Uint8Array(100_000);
    const transfer = [bytes.buffer];
    expect(() => encodeValue([bytes, () => 1], "args", { transfer })).toThrow(/args\[1\]/);
    const refuse = (): never => {
      throw new RangeError("full");
    };
    expect(() => encodeValue([bytes], "args", { transfer, beforeDetaching: refuse })).toThrow("full");
    expect(bytes.buffer.detached).toBe(false);
  });

  it("can be called by a getter of the value that it encodes", () => {
    const shared = [new SharedArrayBuffer(1), new SharedArrayBuffer(2)];
    const value = {
      first: shared[0],
      get inner() {
        return decodeValue(encodeValue([shared[1]], "args").value);
      },
    };
    const { first, inner } = decodeValue(encodeValue(value, "result").value) as {
      first: SharedArrayBuffer;
      inner: SharedArrayBuffer[];
    };
    expect([first.byteLength, inner[0]!.byteLength]).toEqual([1, 2]);
  });
});

describe("decodeValue", () => {
  it("refuses bytes that nobody encoded, and numbers that came without their buffer", () => {
    const corrupt = { code: "ERR_SKEIN_CORRUPT_MESSAGE" };
    const nothing = { carried: null, shared: null };
    expect(() => decodeValue({ bytes: new Uint8Array([255, 3]), ...nothing })).toThrow(
      expect.objectContaining(corrupt),
    );
    const { bytes } = encodeValue([new SharedArrayBuffer(1)], "args").value;
    expect(() => decodeValue({ bytes, ...nothing })).toThrow(expect.objectContaining(corrupt));
  });
});

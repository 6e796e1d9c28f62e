import { describe, expect, it } from "vitest";
import {
  APART,
  BYTES,
  CREDIT,
  ENDED,
  ITEMS,
  NO_FRAME,
  NUMBER,
  ringBytes,
  STREAM_SHAPE,
  type StreamShape,
  StreamReader,
  StreamWriter,
  THROWN,
} from "../../src/shared/stream-ring.ts";

const OFFSET = 8;
const small: StreamShape = { capacityBytes: 256, maxBytes: 32 };

function make(highWaterMark: number, shape = small) {
  const bytes = new Uint8Array(new SharedArrayBuffer(OFFSET + ringBytes(shape)));
  const writer = new StreamWriter(bytes, OFFSET, shape, highWaterMark);
  const reader = new StreamReader(bytes, OFFSET, highWaterMark);
  const write = (text: string): boolean => {
    const at = writer.reserve(text.length);
    bytes.set(Buffer.from(text), OFFSET + at);
    return writer.write();
  };
  const read = (): unknown => {
    const kind = reader.peek();
    if (kind === NO_FRAME) return null;
    const { start, length } = reader;
    const value =
      kind === NUMBER
        ? reader.number
        : kind === BYTES
          ? Buffer.from(bytes.slice(start, start + length)).toString()
          : [reader.arena, reader.block, length];
    reader.consume();
    return value;
  };
  return { writer, reader, write, read, words: new Int32Array(bytes.buffer, OFFSET) };
}

describe("StreamWriter, StreamReader", () => {
  it("smoke: numbers, bytes and what lies apart, in order", () => {
    const { writer, reader, write, read } = make(4);
    expect(reader.peek()).toBe(NO_FRAME);
    writer.writeNumber(-0.5);
    write("seven b");
    writer.writeApart(3, 4, 1_000_000);
    expect([read(), read(), reader.peek()]).toEqual([-0.5, "seven b", APART]);
    expect([read(), read()]).toEqual([[3, 4, 1_000_000], null]);
  });

  it("what comes another way counts as what lies in the ring, however much it is", () => {
    for (const apart of [STREAM_SHAPE.capacityBytes, 2 ** 40]) {
      const { writer, reader, read } = make(100, STREAM_SHAPE);
      writer.reserve(0, apart);
      writer.write();
      expect(writer.canWrite).toBe(false);
      read();
      expect(writer.canWrite).toBe(true);
      writer.writeApart(3, 4, 10, apart);
      expect(writer.canWrite).toBe(false);
      expect([reader.peek(), reader.length]).toEqual([APART, 10]);
    }
  });

  it("full: not more items than highWaterMark", () => {
    const { writer, read } = make(3);
    for (let i = 0; i < 3; i++) {
      expect(writer.canWrite).toBe(true);
      writer.writeNumber(i);
    }
    expect(writer.canWrite).toBe(false);
    expect(read()).toBe(0);
    expect(writer.canWrite).toBe(true);
  });

  it("full: not more bytes than fit, and one item of any size", () => {
    const { writer, write, read } = make(100);
    let count = 0;
    for (; writer.canWrite; count++) write("x".repeat(32));
    expect(count).toBeGreaterThan(1);
    expect(count).toBeLessThan(100);
    for (let i = 0; i < count; i++) expect(read()).toBe("x".repeat(32));
    expect(writer.canWrite).toBe(true);
    writer.writeApart(1, 1, 2 ** 30);
    expect(writer.canWrite).toBe(false);
    read();
    expect(writer.canWrite).toBe(true);
  });

  it("wrap-around: frames of all sizes, with the reader behind by any number", () => {
    const { writer, write, read } = make(5);
    const unread: unknown[] = [];
    for (let i = 0; i < 1000; i++) {
      const behind = (i * 7) % 5;
      while (unread.length > behind || !writer.canWrite) expect(read()).toBe(unread.shift());
      const text = "y".repeat((i * 13) % 33);
      if (i % 3 === 0) writer.writeNumber(i);
      else write(text);
      unread.push(i % 3 === 0 ? i : text);
    }
    while (unread.length > 0) expect(read()).toBe(unread.shift());
    expect(read()).toBe(null);
  });

  it("a frame that is reserved and not written has not happened, wherever it would have lain", () => {
    const { writer, write, read } = make(4);
    for (let i = 0; i < 100; i++) {
      for (const length of [32, (i * 13) % 33]) for (let j = 0; j < 9; j++) writer.reserve(length, 1000);
      expect(read()).toBe(null);
      expect(writer.canWrite).toBe(true);
      const text = `${i}`.padEnd((i * 7) % 33, "z");
      write(text);
      expect([read(), writer.writtenCount]).toEqual([text, i + 1]);
    }
  });

  it("tells of an item only who waits, once", () => {
    const { writer, reader, read } = make(4);
    expect(writer.writeNumber(1)).toBe(false);
    expect(reader.awaitFrame()).toBe(false);
    read();
    expect(reader.awaitFrame()).toBe(true);
    expect(writer.writeNumber(2)).toBe(true);
    expect(writer.writeNumber(3)).toBe(false);
  });

  it("wakes the producer when half of the items are read, not before", () => {
    const { writer, read } = make(4);
    for (let i = 0; i < 4; i++) writer.writeNumber(i);
    expect(writer.suspend()).toBe(true);
    read();
    expect(writer.isGranted).toBe(false);
    read();
    expect(writer.isGranted).toBe(true);
    expect(writer.suspend()).toBe(false);
  });

  it("a producer that goes on for another reason leaves nobody waiting", async () => {
    const { writer, words } = make(1);
    writer.writeNumber(1);
    expect(writer.suspend()).toBe(true);
    const granted = writer.whenGranted();
    writer.resume();
    expect(await granted).toBe("ok");
    expect(words[CREDIT]).toBe(0);
  });

  it("says how many were read, for what has to be held until then", () => {
    const { writer, read } = make(2);
    writer.writeNumber(1);
    writer.writeNumber(2);
    read();
    expect([writer.canWrite, writer.readCount, writer.writtenCount]).toEqual([true, 1, 2]);
  });

  it("of an argument: a reader waits for the word, and is woken by what comes", async () => {
    const { writer, reader } = make(4);
    expect(reader.awaitFrame()).toBe(true);
    const written = reader.whenWritten();
    if (writer.writeNumber(1)) writer.wakeReader();
    expect(await written).toBe("ok");
    reader.consume();
    expect(reader.awaitFrame()).toBe(true);
    if (writer.writeEnd()) writer.wakeReader();
    expect(reader.whenWritten()).toBe(null);
    expect(reader.peek()).toBe(ENDED);
  });

  it("of an argument: what its source has thrown lies in a block", () => {
    const { writer, reader } = make(1);
    writer.writeApart(3, 4, 100, 0, THROWN);
    expect([reader.peek(), reader.arena, reader.block, reader.length]).toEqual([THROWN, 3, 4, 100]);
  });

  it("of an argument: a reader that leaves is not left waiting, whatever the producer has come to", async () => {
    const { reader, words } = make(1);
    reader.awaitFrame();
    const written = reader.whenWritten();
    reader.leave();
    expect(await written).toBe("ok");
    reader.awaitFrame();
    const lost = reader.whenWritten();
    // By a producer that died before it could notify.
    words[ITEMS] = 0;
    reader.leave();
    expect(await lost).toBe("ok");
  });

  it("a block of the default shape has one of the sizes of an arena", () => {
    expect(ringBytes(STREAM_SHAPE) + 8).toBeLessThanOrEqual(5 << 18);
    expect(STREAM_SHAPE.capacityBytes % 16).toBe(0);
  });
});

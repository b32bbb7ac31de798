// Pictures for the tests, made up.
import { crc32, deflateSync } from "node:zlib";

/** `x1`, `y1`, `x2`, `y2` in pixels. */
type Block = readonly [number, number, number, number];

/** A made-up picture: one grey all over, or with a white block, as PNG. */
export function png(width: number, grey: number, height = width, block?: Block): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits of grey, no interlacing; each line begins with its filter: none.
  header.set([8, 0, 0, 0, 0], 8);
  const lines = Buffer.concat(
    Array.from({ length: height }, (_, y) => {
      const line = Buffer.alloc(width, grey);
      if (block && y >= block[1] && y < block[3]) line.fill(255, block[0], block[2]);
      return Buffer.concat([Buffer.from([0]), line]);
    }),
  );
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(lines)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

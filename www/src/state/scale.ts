// In which pixels the boxes are: those of the pictures, or, of pictures that were made smaller, those of the original.

export interface Size {
  width: number;
  height: number;
}

/** An image by name, and how far its lesions reach from the upper left corner, in pixels; null if it has none. */
export interface Extent {
  name: string;
  reach: Size | null;
}

/** Originals are of one of these sides; ChestX-Det10's of the first. */
const SIDES = [1024, 2048, 4096];
/** A box that reaches beyond its picture by less than this share of it is drawn carelessly, no more. */
const CARELESS = 0.02;
/** So few of a set, by share, reach beyond for being mistaken. */
const MISTAKEN = 0.01;

export interface Scale {
  /** The longer side, in pixels, at which every picture is drawn; null for its own. */
  side: number | null;
  /** What a person should know of it; empty if there is nothing to say. */
  notice: string;
}

export const OWN: Scale = { side: null, notice: "" };

/** `images` are those with lesions and a picture; `reach` is the most of all lesions. One answer for the whole set. */
export function scaleOf(images: readonly { size: Size; reach: Size }[], reach: number): Scale {
  const beyond = images.filter(
    ({ size, reach }) => reach.width > size.width * (1 + CARELESS) || reach.height > size.height * (1 + CARELESS),
  );
  if (beyond.length === 0 || beyond.length < images.length * MISTAKEN) return OWN;
  const side = SIDES.find((side) => reach <= side * (1 + CARELESS)) ?? Math.ceil(reach);
  const longest = images.map(({ size }) => Math.max(size.width, size.height));
  const [least, most] = longest.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, 0]);
  const text = (n: number) => Math.round(n).toLocaleString("en");
  const first = images[0]?.size;
  const isOne = first && images.every(({ size }) => size.width === first.width && size.height === first.height);
  const are = isOne
    ? `${text(first.width)} × ${text(first.height)} px`
    : least === most
      ? `${text(most)} px on the longer side`
      : `${text(least)} to ${text(most)} px on the longer side`;
  const as =
    isOne && first.width >= first.height
      ? `were ${text(side)} px wide`
      : `measured ${text(side)} px on the longer side`;
  return { side, notice: `Pictures are ${are}, boxes reach ${text(reach)}: pictures are drawn as if they ${as}.` };
}

/** The size of a PNG or JPEG from its first bytes; null if they do not tell. */
export function sizeIn(bytes: Uint8Array): Size | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // PNG (third edition), 5.2 and 11.2.1: signature, then the header with width and height.
  if (bytes.length >= 24 && view.getUint32(0) === 0x89504e47 && view.getUint32(12) === 0x49484452) {
    return { width: view.getUint32(16), height: view.getUint32(20) };
  }
  // ITU T.81, B.1.1.4 and B.2.2: segments of a marker and a length, until that of the frame.
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= bytes.length;) {
    const marker = view.getUint16(at);
    if (marker === 0xffff) {
      at++;
      continue;
    }
    if (marker < 0xff01) return null;
    const isFrame = marker >= 0xffc0 && marker <= 0xffcf && marker !== 0xffc4 && marker !== 0xffc8 && marker !== 0xffcc;
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

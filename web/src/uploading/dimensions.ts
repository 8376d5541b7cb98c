// The dimensions of an image by its header, so that a browser isn't asked to decode hundreds of megapixels.

const HEAD_BYTES = 512_000; // a JPEG's dimensions come after its metadata

export interface Dimensions {
  width: number;
  height: number;
}

type Header = (view: DataView) => Dimensions | undefined;

/** In pixels, before any rotation; undefined for a format that isn't known here. */
export async function dimensionsOf(file: Blob): Promise<Dimensions | undefined> {
  const view = new DataView(await file.slice(0, HEAD_BYTES).arrayBuffer());
  try {
    for (const read of [png, gif, jpeg, webp]) {
      const found = read(view);
      if (found) return found;
    }
  } catch {
    // RangeError: the header is cut off
  }
  return undefined;
}

const png: Header = (view) =>
  view.getUint32(0) === 0x89504e47 ? { width: view.getUint32(16), height: view.getUint32(20) } : undefined;

const gif: Header = (view) =>
  view.getUint32(0) === 0x47494638 ? { width: view.getUint16(6, true), height: view.getUint16(8, true) } : undefined;

const jpeg: Header = (view) => {
  if (view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker < 0xff01) return undefined;
    const isFrame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
  }
};

const webp: Header = (view) => {
  if (view.getUint32(8) !== 0x57454250) return undefined;
  const uint24 = (at: number): number => view.getUint16(at, true) + view.getUint8(at + 2) * 65_536;
  switch (view.getUint32(12)) {
    case 0x56503858: // VP8X
      return { width: uint24(24) + 1, height: uint24(27) + 1 };
    case 0x5650384c: { // VP8L
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
    }
    default: // VP8
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
};

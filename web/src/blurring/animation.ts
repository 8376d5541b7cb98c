// Whether a file is an animation, by its structure, without decoding it.

const PNG_SIGNATURE_BYTES = 8;

/** For PNG, GIF, WebP and AVIF; false for anything else. Reads the file as a whole. */
export async function isAnimated(file: Blob): Promise<boolean> {
  const view = new DataView(await file.arrayBuffer());
  try {
    return [png, gif, webp, avif].some((is) => is(view));
  } catch {
    return false; // RangeError: the file ends early
  }
}

const png = (view: DataView): boolean => {
  if (view.getUint32(0) !== 0x89504e47) return false;
  for (let at = PNG_SIGNATURE_BYTES; at + 8 <= view.byteLength; at += view.getUint32(at) + 12) {
    const type = view.getUint32(at + 4);
    if (type === 0x6163544c) return true; // acTL
    if (type === 0x49444154) return false; // IDAT
  }
  return false;
};

const gif = (view: DataView): boolean => {
  if (view.getUint32(0) !== 0x47494638) return false;
  let at = 13 + colourTable(view.getUint8(10));
  for (let images = 0; at < view.byteLength; ) {
    const block = view.getUint8(at);
    if (block === 0x2c) {
      images += 1;
      if (images > 1) return true;
      at = afterSubBlocks(view, at + 11 + colourTable(view.getUint8(at + 9)));
    } else if (block === 0x21) at = afterSubBlocks(view, at + 2);
    else return false;
  }
  return false;
};

const colourTable = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);

function afterSubBlocks(view: DataView, start: number): number {
  let at = start;
  while (view.getUint8(at) > 0) at += view.getUint8(at) + 1;
  return at + 1;
}

const webp = (view: DataView): boolean =>
  view.getUint32(8) === 0x57454250 && view.getUint32(12) === 0x56503858 && (view.getUint8(20) & 2) > 0;

const avif = (view: DataView): boolean => view.getUint32(4) === 0x66747970 && view.getUint32(8) === 0x61766973;

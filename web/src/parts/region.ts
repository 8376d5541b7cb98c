// A part of an image, as a link names it: the media fragment #xywh=x,y,w,h.

/** A part of an image, in pixels of the original. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

const TALL_RATIO = 3; // as on the server, which sizes such images by their width

export const isTall = ({ width, height }: { width: number; height: number }): boolean => height >= TALL_RATIO * width;

/** The region in an address. */
export function regionOf(hash: string): Region | undefined {
  const match = /^#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/.exec(hash);
  if (!match) return undefined;
  const [x, y, width, height] = match.slice(1).map(Number) as [number, number, number, number];
  return width && height ? { x, y, width, height } : undefined;
}

export const fragmentOf = ({ x, y, width, height }: Region): string => `#xywh=${x},${y},${width},${height}`;

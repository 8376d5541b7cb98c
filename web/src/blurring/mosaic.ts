// Covering areas so that nothing can be recovered. A blur can be sharpened again, and a mosaic of what was there compared with a
// mosaic of each text that may have been there. So these blocks are made of the pixels around the area, and of chance.

import type { Area } from "./areas";

type Colour = readonly [red: number, green: number, blue: number];
type Strip = { from: number; length: number };

const BLOCKS_ACROSS = 3; // the shorter side
const MAX_BLOCKS = 24; // a side
const VARIATION = 40; // of 256, so that everybody sees that something is covered
const GREY: Colour = [128, 128, 128]; // where nothing is around

/** Replace all pixels of the areas, which are whole pixels within the canvas. */
export function cover(context: CanvasRenderingContext2D, areas: readonly Area[]): void {
  // All of them first: otherwise a mosaic would contain pixels of an area that it overlaps.
  for (const { x, y, width, height } of areas) context.clearRect(x, y, width, height);
  for (const area of areas) fill(context, area);
}

function fill(context: CanvasRenderingContext2D, { x, y, width, height }: Area): void {
  const side = Math.ceil(Math.max(Math.min(width, height) / BLOCKS_ACROSS, Math.max(width, height) / MAX_BLOCKS));
  const [columns, rows] = [strips(x, width, side), strips(y, height, side)];
  const above = columns.map(({ from, length }) => meanOf(context, from, y - 1, length, 1));
  const below = columns.map(({ from, length }) => meanOf(context, from, y + height, length, 1));
  const left = rows.map(({ from, length }) => meanOf(context, x - 1, from, 1, length));
  const right = rows.map(({ from, length }) => meanOf(context, x + width, from, 1, length));
  for (const [j, row] of rows.entries()) {
    for (const [i, column] of columns.entries()) {
      const colour = mixed([
        [above[i], j + 1],
        [below[i], rows.length - j],
        [left[j], i + 1],
        [right[j], columns.length - i],
      ]);
      context.fillStyle = varied(colour);
      context.fillRect(column.from, row.from, column.length, row.length);
    }
  }
}

function strips(start: number, whole: number, side: number): Strip[] {
  const count = Math.ceil(whole / side);
  return Array.from({ length: count }, (_, index) => {
    const from = index * side;
    return { from: start + from, length: Math.min(side, whole - from) };
  });
}

/** The mean of what isn't transparent; undefined if all is, or lies outside the image. */
function meanOf(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): Colour | undefined {
  const { data } = context.getImageData(x, y, width, height);
  const sums = [0, 0, 0];
  let weight = 0;
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3] ?? 0;
    weight += alpha;
    for (const channel of [0, 1, 2]) sums[channel]! += (data[at + channel] ?? 0) * alpha;
  }
  const [red = 0, green = 0, blue = 0] = sums.map((sum) => sum / weight);
  return weight > 0 ? [red, green, blue] : undefined;
}

/** The colours mixed, the nearer the more. */
function mixed(colours: [colour: Colour | undefined, distance: number][]): Colour {
  const near = colours.flatMap(([colour, distance]) => (colour ? [{ colour, weight: 1 / distance }] : []));
  const whole = near.reduce((sum, { weight }) => sum + weight, 0);
  if (whole === 0) return GREY;
  const channel = (index: 0 | 1 | 2): number => near.reduce((sum, { colour, weight }) => sum + colour[index] * weight, 0) / whole;
  return [channel(0), channel(1), channel(2)];
}

function varied(colour: Colour): string {
  const lighter = (Math.random() - 0.5) * VARIATION;
  const [red, green, blue] = colour.map((value) => Math.max(0, Math.min(Math.round(value + lighter), 255)));
  return `rgb(${red} ${green} ${blue})`;
}

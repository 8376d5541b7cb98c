// The areas of an image that are to be covered, and undoing what was done to them.

/** A rectangle in pixels of the image. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Bounds {
  readonly width: number;
  readonly height: number;
}

export class Areas {
  #states: (readonly Area[])[] = [[]];

  get all(): readonly Area[] {
    return this.#states.at(-1) ?? [];
  }

  get canUndo(): boolean {
    return this.#states.length > 1;
  }

  add(area: Area): void {
    this.#states.push([...this.all, area]);
  }

  replace(index: number, area: Area): void {
    this.#states.push(this.all.map((other, at) => (at === index ? area : other)));
  }

  remove(index: number): void {
    this.#states.push(this.all.filter((_, at) => at !== index));
  }

  undo(): void {
    if (this.canUndo) this.#states.pop();
  }
}

/** The area that two corners span: whole pixels within the image, at least one of them. */
export function spanned(a: { x: number; y: number }, b: { x: number; y: number }, { width, height }: Bounds): Area {
  const [left, right] = pixels(a.x, b.x, width);
  const [top, bottom] = pixels(a.y, b.y, height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The area at another place, as close to it as the image allows. */
export const moved = (area: Area, x: number, y: number, { width, height }: Bounds): Area => ({
  ...area,
  x: between(0, Math.round(x), width - area.width),
  y: between(0, Math.round(y), height - area.height),
});

/** The area with its other corner moved: at least one pixel, and within the image. */
export const resized = (area: Area, width: number, height: number, bounds: Bounds): Area => ({
  ...area,
  width: between(1, Math.round(width), bounds.width - area.x),
  height: between(1, Math.round(height), bounds.height - area.y),
});

const between = (min: number, value: number, max: number): number => Math.max(min, Math.min(value, max));

function pixels(a: number, b: number, end: number): [from: number, to: number] {
  const from = between(0, Math.floor(Math.min(a, b)), end - 1);
  return [from, between(from + 1, Math.ceil(Math.max(a, b)), end)];
}

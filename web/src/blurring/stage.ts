// The image with its areas, which are drawn, moved and resized by mouse, finger and keys.

import { button } from "../parts/buttons";
import { t } from "../parts/messages";
import { type Area, Areas, moved, resized, spanned } from "./areas";

const STEP = 0.01; // of the longer side, for each press of a key
const MIN_DRAWN_PX = 4; // on screen: less is a press that slipped

type Point = { x: number; y: number };
/** What an area becomes while the pointer is dragged to a point. */
type Change = (to: Point) => Area;

const DIRECTIONS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export class Stage {
  readonly areas = new Areas();

  /** `canvas` has the image and fills `element`. `changed` is called after each change, with what is to be said about it. */
  constructor(
    private readonly element: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly changed: (news: string) => void,
  ) {
    element.style.setProperty("--ratio", String(canvas.width / canvas.height));
    element.style.setProperty("--width", `${canvas.width}px`);
    element.addEventListener("pointerdown", (event) => this.#onPointer(event));
    element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Add an area in the middle, for those who can't draw one. It has the focus. */
  add(): void {
    const { width, height } = this.canvas;
    this.areas.add(spanned({ x: width * 0.375, y: height * 0.45 }, { x: width * 0.625, y: height * 0.55 }, this.canvas));
    this.#show(t("Area added."), this.areas.all.length - 1);
  }

  undo(): void {
    this.areas.undo();
    this.#show(t("Undone."));
  }

  get #boxes(): HTMLButtonElement[] {
    return [...this.element.querySelectorAll<HTMLButtonElement>(".area")];
  }

  /** Paint the areas. The focus moves to the one of this index, if it is given. */
  #show(news: string, focused?: number): void {
    const boxes = this.#boxes;
    for (const box of boxes.slice(this.areas.all.length)) box.remove();
    for (const [index, area] of this.areas.all.entries()) this.#place(boxes[index] ?? this.#createBox(), area, index);
    if (focused !== undefined) this.#boxes[focused]?.focus();
    this.changed(news);
  }

  #createBox(): HTMLButtonElement {
    const box = button("", undefined, { className: "area" });
    const corner = document.createElement("span");
    corner.className = "corner";
    box.append(corner);
    this.element.append(box);
    return box;
  }

  #place(box: HTMLElement, { x, y, width, height }: Area, index: number): void {
    const { width: whole, height: high } = this.canvas;
    Object.assign(box.style, { left: percent(x / whole), top: percent(y / high), width: percent(width / whole), height: percent(height / high) });
    box.setAttribute("aria-label", t("Area {number}: {width} × {height} pixels at {x}, {y}", { number: index + 1, width, height, x, y }));
  }

  #onKey(event: KeyboardEvent): void {
    const index = this.#boxes.findIndex((box) => box === event.target);
    const area = this.areas.all[index];
    const direction = DIRECTIONS[event.key];
    const isRemoval = event.key === "Delete" || event.key === "Backspace";
    if (!area || event.altKey || event.metaKey || !(direction || isRemoval)) return;
    event.preventDefault();
    if (!direction) return this.#remove(index);
    const step = event.ctrlKey ? 1 : Math.max(1, Math.round(STEP * Math.max(this.canvas.width, this.canvas.height)));
    const [x, y] = [direction.x * step, direction.y * step];
    const changed = event.shiftKey
      ? resized(area, area.width + x, area.height + y, this.canvas)
      : moved(area, area.x + x, area.y + y, this.canvas);
    this.areas.replace(index, changed);
    this.#show(event.shiftKey ? `${changed.width} × ${changed.height}` : `${changed.x}, ${changed.y}`);
  }

  /** Remove the area; the focus moves to the one after it, or else to the stage. */
  #remove(index: number): void {
    this.areas.remove(index);
    this.#show(t("Area removed."), Math.min(index, this.areas.all.length - 1));
    if (this.areas.all.length === 0) this.element.focus();
  }

  #onPointer(event: PointerEvent): void {
    if (event.button !== 0 || !event.isPrimary) return;
    const target = event.target as Element;
    const index = this.#boxes.findIndex((box) => box.contains(target));
    const area = this.areas.all[index];
    const start = this.#pointOf(event);
    if (!area) this.#drag(event, this.areas.all.length, (to) => spanned(start, to, this.canvas));
    else if (target.matches(".corner")) this.#drag(event, index, ({ x, y }) => resized(area, x - area.x, y - area.y, this.canvas));
    else this.#drag(event, index, ({ x, y }) => moved(area, area.x + x - start.x, area.y + y - start.y, this.canvas));
  }

  /** Show the area of this index as the pointer changes it, and keep it when the pointer is lifted. */
  #drag(down: PointerEvent, index: number, change: Change): void {
    const isNew = index === this.areas.all.length;
    const box = this.#boxes[index] ?? this.#createBox();
    let area: Area | undefined;
    const ends = new AbortController();
    const watch = (type: string, act: (event: PointerEvent) => void): void =>
      this.element.addEventListener(type, (event) => (event as PointerEvent).pointerId === down.pointerId && act(event as PointerEvent), ends);
    down.preventDefault();
    this.element.setPointerCapture(down.pointerId);
    if (isNew) box.hidden = true;
    box.classList.add("dragged");
    watch("pointermove", (event) => {
      const distance = Math.max(Math.abs(event.clientX - down.clientX), Math.abs(event.clientY - down.clientY));
      if (!area && distance < MIN_DRAWN_PX) return;
      area = change(this.#pointOf(event));
      box.hidden = false;
      this.#place(box, area, index);
    });
    const end = (isKept: boolean): void => {
      ends.abort();
      box.classList.remove("dragged");
      if (isKept && area && isNew) this.areas.add(area);
      else if (isKept && area) this.areas.replace(index, area);
      this.#show(isKept && area && isNew ? t("Area added.") : "", isNew && !(isKept && area) ? undefined : index);
    };
    watch("pointerup", () => end(true));
    watch("pointercancel", () => end(false));
  }

  #pointOf({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return { x: ((clientX - left) / width) * this.canvas.width, y: ((clientY - top) / height) * this.canvas.height };
  }
}

const percent = (part: number): string => `${part * 100}%`;

// Dragging by mouse, touch or pen: the item swaps places with each neighbour whose middle the pointer passes.

import { moveItem } from "./order";

const EDGE_PX = 72;
const SCROLL_PX = 12;

/** Let `item` be dragged by `handle`; `onDrop` is called if its position has changed. */
export function wireDragging(handle: HTMLElement, item: HTMLLIElement, onDrop: () => void): void {
  let hasMoved = false;
  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    item.classList.add("dragged");
    hasMoved = false;
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    if (event.clientY < EDGE_PX) scrollBy(0, -SCROLL_PX);
    if (event.clientY > innerHeight - EDGE_PX) scrollBy(0, SCROLL_PX);
    while (isBeyond(item.previousElementSibling, event.clientY, -1) && moveItem(item, -1)) hasMoved = true;
    while (isBeyond(item.nextElementSibling, event.clientY, 1) && moveItem(item, 1)) hasMoved = true;
  });
  handle.addEventListener("lostpointercapture", () => {
    item.classList.remove("dragged");
    if (hasMoved) onDrop();
    hasMoved = false;
  });
}

function isBeyond(neighbour: Element | null, y: number, way: number): boolean {
  if (!neighbour) return false;
  const { top, height } = neighbour.getBoundingClientRect();
  return (y - (top + height / 2)) * way > 0;
}

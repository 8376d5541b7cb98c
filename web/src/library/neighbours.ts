// Which row an arrow key leads to, in a grid of as many columns as the window has room for.

import { isRightToLeft } from "../parts/dom";
import type { Row } from "./row";

const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

export const isArrow = (key: string): boolean => ARROWS.includes(key);

/** The row that the arrow leads to from the one at `from`; undefined at the edge of the list. */
export function neighbour(rows: Row[], from: number, key: string): Row | undefined {
  if (key === "ArrowLeft" || key === "ArrowRight") return rows[(key === "ArrowLeft") === isRightToLeft() ? from + 1 : from - 1];
  const step = key === "ArrowDown" ? 1 : -1;
  const start = rows[from]?.element.getBoundingClientRect();
  for (let at = from + step; rows[at]; at += step) {
    const box = rows[at]?.element.getBoundingClientRect();
    if (start && box && box.top !== start.top && Math.abs(box.left - start.left) < 1) return rows[at];
  }
  return undefined;
}

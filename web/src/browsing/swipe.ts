// Swiping with a finger, which draws in the image from the other side: in most languages to the left for the next one.

import { type Way, wayTo } from "./ways";

const MIN_PX = 50;

/** Call `onSwipe` when a finger is drawn sideways over `place`. Styles leave the browser only scrolling and pinching there. */
export function watchSwipes(place: HTMLElement, onSwipe: (way: Way) => void): void {
  let from: PointerEvent | undefined;
  place.addEventListener("pointerdown", (event) => {
    const isFinger = event.pointerType === "touch" && event.isPrimary;
    from = isFinger && (visualViewport?.scale ?? 1) === 1 ? event : undefined; // a zoomed page is moved, not left
  });
  place.addEventListener("pointercancel", () => (from = undefined));
  place.addEventListener("pointerup", (event) => {
    if (!from || event.pointerId !== from.pointerId) return;
    const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
    from = undefined;
    if (Math.abs(x) >= MIN_PX && Math.abs(x) > 2 * Math.abs(y)) onSwipe(wayTo(x < 0 ? "right" : "left"));
  });
}

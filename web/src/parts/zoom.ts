// The way into the deep zoom: a press on the picture or on the button, or a link to a view of it. The viewer itself is
// large, and loaded when it is wanted.

import type { Region } from "./viewer";
import { announce } from "./announce";
import { t } from "./words";

/** The region that an address names (media fragments: #xywh=x,y,w,h in pixels of the original). */
export function regionOf(hash: string): Region | undefined {
  const match = /^#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/.exec(hash);
  if (!match) return undefined;
  const [x, y, width, height] = match.slice(1).map(Number) as [number, number, number, number];
  return width && height ? { x, y, width, height } : undefined;
}

/** Let the picture be zoomed, and show the view at once that the address asks for. */
export function wireZoom(): void {
  const frame = document.querySelector<HTMLAnchorElement>("#frame[data-zoom]");
  if (!frame) return;
  const open = (region?: Region): void => void show(frame, region);
  frame.classList.add("zooms");
  frame.addEventListener("click", (event) => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("#zoom")) open();
  });
  const wanted = (): void => {
    const region = regionOf(location.hash);
    if (region && !document.querySelector("dialog[open]")) open(region);
  };
  addEventListener("hashchange", wanted);
  wanted();
}

async function show(frame: HTMLAnchorElement, region?: Region): Promise<void> {
  frame.setAttribute("aria-busy", "true");
  try {
    const { Viewer } = await import("./viewer");
    const picture = frame.querySelector<HTMLImageElement>("#shown")!;
    new Viewer({
      source: frame.dataset["zoom"] ?? "",
      fallback: picture.src,
      width: Number(frame.dataset["width"]),
      height: Number(frame.dataset["height"]),
      name: picture.alt,
    }).open(region);
  } catch {
    announce(t("The viewer could not be loaded. Check your connection and try again."));
  } finally {
    frame.removeAttribute("aria-busy");
  }
}

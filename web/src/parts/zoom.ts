// Opening the deep zoom: by a click on the image or on the button, or by a link to a view. The viewer is large, so it is
// loaded only then.

import type { Region } from "./viewer";
import { announce } from "./announce";
import { t } from "./messages";

/** The region in an address (media fragment #xywh=x,y,w,h, in pixels of the original). */
export function regionOf(hash: string): Region | undefined {
  const match = /^#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/.exec(hash);
  if (!match) return undefined;
  const [x, y, width, height] = match.slice(1).map(Number) as [number, number, number, number];
  return width && height ? { x, y, width, height } : undefined;
}

/** Enable the zoom, and open it if the address names a view. */
export function wireZoom(): void {
  const frame = document.querySelector<HTMLAnchorElement>("#frame[data-zoom]");
  if (!frame) return;
  const open = (region?: Region): void => void show(frame, region);
  frame.classList.add("zoomable");
  frame.addEventListener("click", (event) => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("#zoom")) open();
  });
  const openFromAddress = (): void => {
    const region = regionOf(location.hash);
    if (region && !document.querySelector("dialog[open]")) open(region);
  };
  addEventListener("hashchange", openFromAddress);
  openFromAddress();
}

async function show(frame: HTMLAnchorElement, region?: Region): Promise<void> {
  frame.setAttribute("aria-busy", "true");
  try {
    const { Viewer } = await import("./viewer");
    const image = frame.querySelector<HTMLImageElement>("#shown")!;
    new Viewer({
      source: frame.dataset["zoom"] ?? "",
      fallback: image.src,
      width: Number(frame.dataset["width"]),
      height: Number(frame.dataset["height"]),
      name: image.alt,
    }).open(region);
  } catch {
    announce(t("The viewer could not be loaded. Check your connection and try again."));
  } finally {
    frame.removeAttribute("aria-busy");
  }
}

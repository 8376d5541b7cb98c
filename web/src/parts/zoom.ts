// Opening the deep zoom: by a click on the image or on the button, or by a link to a view. The viewer is large, so it is
// loaded only then.

import { announce } from "./announce";
import { isPlainClick } from "./dom";
import { t } from "./messages";
import { type Region, regionOf } from "./region";

/** Enable the zoom, and open it if the address names a view. */
export function wireZoom(): void {
  const frame = document.querySelector<HTMLAnchorElement>("#frame[data-zoom]");
  if (!frame) return;
  const open = (region?: Region): void => void show(frame, region);
  frame.classList.add("zoomable");
  frame.addEventListener("click", (event) => {
    if (!isPlainClick(event)) return;
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

/** The region asked for last, which may be another than the one for which the viewer began to load. */
let wanted: Region | undefined;

async function show(frame: HTMLAnchorElement, region?: Region): Promise<void> {
  wanted = region;
  if (frame.hasAttribute("aria-busy")) return;
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
      isSeeThrough: frame.querySelector(".mat") !== null,
    }).open(wanted);
  } catch {
    announce(t("The viewer could not be loaded. Check your connection and try again."));
  } finally {
    frame.removeAttribute("aria-busy");
  }
}

// The share page: copying, zooming, managing in place.

import { wireCopyButtons } from "./parts/copy";
import { wireManaging } from "./parts/managing";
import { wireZoom } from "./parts/zoom";

const page = document.querySelector<HTMLElement>("#picture");
if (page) {
  wireCopyButtons();
  page.addEventListener("refreshed", () => wireCopyButtons());
  wireManaging(page);
  wireZoom();
}

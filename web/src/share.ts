// The share page: copy buttons, the deep zoom, and the manage form; files that are dropped on it are uploaded.

import { wireCopyButtons } from "./parts/copy";
import { wireHandOver } from "./parts/hand-over";
import { wireManageForm } from "./parts/manage-form";
import { wireZoom } from "./parts/zoom";

const page = document.querySelector<HTMLElement>("#image");
if (page) {
  wireCopyButtons();
  page.addEventListener("refreshed", () => wireCopyButtons());
  wireManageForm(page);
  wireZoom();
  wireHandOver();
}

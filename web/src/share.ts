// The share page: copy and share buttons, local times, the deep zoom, the original's details, and the manage form; files that
// are dropped on it are uploaded.

import { reloadBusyImages } from "./parts/busy-images";
import { wireCopyButtons } from "./parts/copy";
import { wireHandOver } from "./parts/hand-over";
import { wireImageDetails } from "./parts/image-details";
import { showLocalTimes } from "./parts/local-times";
import { wireManageForm } from "./parts/manage-form";
import { wireSharing } from "./parts/sharing";
import { wireZoom } from "./parts/zoom";

const page = document.querySelector<HTMLElement>("#image");
if (page) {
  reloadBusyImages(page);
  wireCopyButtons();
  showLocalTimes();
  wireSharing();
  page.addEventListener("refreshed", () => {
    wireCopyButtons();
    showLocalTimes();
  });
  wireManageForm(page);
  wireZoom();
  wireImageDetails();
  wireHandOver();
}

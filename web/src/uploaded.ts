// The reply to the plain form, which a phone's share menu uses too: the images are added to My images.
import { type LibraryImage, saveImages } from "./library/store";
import { wireCopyButtons } from "./parts/copy";
import { showLocalTimes } from "./parts/local-times";

wireCopyButtons();
showLocalTimes();
const uploaded_at = new Date().toISOString();
const images = [...document.querySelectorAll<HTMLElement>("[data-record]")].map(({ dataset }) => ({
  ...(JSON.parse(dataset["record"] ?? "") as LibraryImage),
  uploaded_at,
}));

/** The browser has the manage links now, so a reload needn't upload the files again: it opens the image, or My images. */
function leaveForm(): void {
  document.querySelector("#kept")?.classList.add("stored");
  const [first, ...others] = images;
  history.replaceState(null, "", first && !others.length ? `/i/${first.slug}` : "/images");
}

// A browser without storage, such as a private window, stores nothing.
saveImages(...images).then(leaveForm, () => undefined);

// The reply to the plain form, which a phone's share menu uses too: the images are added to My images.
import { type LibraryImage, saveImages } from "./library/store";
import { wireCopyButtons } from "./parts/copy";

wireCopyButtons();
const uploaded_at = new Date().toISOString();
const images = [...document.querySelectorAll<HTMLElement>("[data-record]")].map(({ dataset }) => ({
  ...(JSON.parse(dataset["record"] ?? "") as LibraryImage),
  uploaded_at,
}));
// A browser without storage, such as a private window, stores nothing.
saveImages(...images).catch(() => undefined);

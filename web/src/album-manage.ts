// The manage page of an album: images are sorted by dragging, buttons or keys, and saved at once if the token is there. The
// form's numbers and checkboxes follow, so that its Save button does the same.
import { SortableAlbum } from "./sorting/sortable-album";
import { renameAlbum } from "./library/remembered-albums";
import { offerImages } from "./library/selection";

const form = document.querySelector<HTMLFormElement>("form[data-album]");
const list = form?.querySelector<HTMLOListElement>(".sortable");
if (form && list) {
  new SortableAlbum(form, list).start();
  // A browser without storage, such as a private window, has nothing to offer.
  renameAlbum(form.dataset["album"] ?? "", form.dataset["title"] || null).catch(() => undefined);
  offerImages(form.querySelectorAll<HTMLTextAreaElement>("[data-image-picker]")).catch(() => undefined);
}

// The manage page of an album: pictures are put in order by dragging, by buttons and by keys, and saved at once while the
// token is there. The form's own numbers and ticks follow, so that its Save button says the same.
import { Arrangement } from "./arranging/arrangement";
import { renameRemembered } from "./mine/named";
import { offerPicks } from "./mine/picks";

const form = document.querySelector<HTMLFormElement>("form[data-album]");
const list = form?.querySelector<HTMLOListElement>(".arranged");
if (form && list) {
  new Arrangement(form, list).begin();
  // A browser that keeps nothing, as private windows may, has nothing to offer.
  renameRemembered(form.dataset["album"] ?? "", form.dataset["title"] || null).catch(() => undefined);
  offerPicks(form.querySelectorAll<HTMLTextAreaElement>("[data-picks]")).catch(() => undefined);
}

// A new album: its link is there to be shared, its texts are saved as they are entered, and its manage link is stored.
import { Autosave } from "./sorting/autosave";
import { wireFields } from "./sorting/fields";
import { rememberAlbum } from "./library/remembered-albums";
import { wireCopyButtons } from "./parts/copy";
import { required } from "./parts/dom";
import { showLocalTimes } from "./parts/local-times";
import { wireShareButtons } from "./parts/share-button";
import { tokenOf } from "./parts/token";

const form = required<HTMLFormElement>("#album");
const field = required<HTMLInputElement>("#token");
const { album: slug = "", url = "", title } = form.dataset;

/** The page that a script opens has no token; it is in the address. */
function fillIn(token: string): void {
  field.value = token;
  required<HTMLInputElement>("#manage-link").value = `${url}#${token}`;
  required<HTMLAnchorElement>("#manage").hash = token;
}

const token = field.value || tokenOf(slug);
wireCopyButtons();
showLocalTimes();
wireShareButtons();
if (token) {
  fillIn(token);
  wireFields(form, new Autosave(form));
  // A browser without storage, such as a private window, stores nothing, and the page doesn't say so.
  rememberAlbum({ slug, url, title: title || null, delete_token: token })
    .then(() => required("#remembered").classList.remove("invisible"))
    .catch(() => undefined);
} else {
  location.replace(`/a/${slug}`); // somebody else opened the address
}

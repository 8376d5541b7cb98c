// Creating an album by form: an image picker for the form, and storing the album once it is created.
import { rememberAlbum } from "./library/remembered-albums";
import { offerImages } from "./library/selection";
import { wireCopyButtons } from "./parts/copy";

wireCopyButtons();
// A browser without storage, such as a private window, has nothing to offer and stores nothing.
offerImages(document.querySelectorAll<HTMLTextAreaElement>("[data-image-picker]")).catch(() => undefined);
const created = document.querySelector<HTMLElement>("[data-record]");
if (created) rememberAlbum(created).catch(() => undefined);

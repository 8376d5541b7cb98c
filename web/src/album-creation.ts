// Creating an album by form: an image picker for the form.
import { offerImages } from "./library/image-picker";
import { wireKeyField } from "./parts/access-key";

// A browser without storage, such as a private window, has nothing to offer.
offerImages(document.querySelectorAll<HTMLTextAreaElement>("[data-image-picker]")).catch(() => undefined);
wireKeyField({ isSent: true });

// Making an album by form: my pictures are offered for it, and the album is remembered once it is made.
import { rememberMade } from "./mine/named";
import { offerPicks } from "./mine/picks";
import { wireCopyButtons } from "./parts/copy";

wireCopyButtons();
// A browser that keeps nothing, as private windows may, has nothing to offer and remembers nothing.
offerPicks(document.querySelectorAll<HTMLTextAreaElement>("[data-picks]")).catch(() => undefined);
const made = document.querySelector<HTMLElement>("[data-made]");
if (made) rememberMade(made).catch(() => undefined);
